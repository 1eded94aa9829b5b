"""Remedies that mix pairs of items within a batch."""
