"""Suite files and grids, expanded to the runs of a study."""
