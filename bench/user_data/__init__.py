"""Data that a user brings: recognised, read and prepared as a task."""
