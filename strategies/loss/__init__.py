"""Remedies that change what a prediction costs."""
