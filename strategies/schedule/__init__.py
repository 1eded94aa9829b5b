"""Remedies that change what holds as training goes on."""
