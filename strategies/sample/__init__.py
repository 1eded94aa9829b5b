"""Remedies that change which items are drawn, when."""
