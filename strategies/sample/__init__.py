"""Remedies that change which items are sampled, and when."""
