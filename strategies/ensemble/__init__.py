"""Remedies that train an ensemble of scikit-learn estimators in place of one."""
