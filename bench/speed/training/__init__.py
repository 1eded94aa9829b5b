"""How fast stacks of trainings train, beside what an engineer would write by hand."""
