"""How fast stacks of runs train, compared with loops that an engineer would write by hand."""
