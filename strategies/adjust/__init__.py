"""Remedies that adjust finished logits."""
