"""Remedies that change the pool of rows, once before training."""
