"""Audit a loader or sampler: measure what it really samples, and name what is misconfigured."""
