"""A user's own Python: load modules and functions by name, and audit what a function returns."""
