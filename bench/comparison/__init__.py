"""A user's data to a verdict: which learners and remedies are compared, what a budget affords, and the answer."""
