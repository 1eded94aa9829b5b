"""Training: which runs are trained together, by which processes, and what they cost."""
