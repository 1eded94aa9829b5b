"""Remedies that change during training."""
