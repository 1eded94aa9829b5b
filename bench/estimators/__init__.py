"""Estimators of scikit-learn as learners next to the neural models: fitted at once on rows of numbers."""
