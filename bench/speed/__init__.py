"""Three speed benchmarks: samplers, training, and regression (whether samplers have become slower).

Each folder keeps what is its own: the variants, how they are measured, their table and figure. What the three share is here:
`timing` (rounds in turn), `peak_memory`, `measurement` (what a benchmark returns), `timing_table` and `measurement_files`.
"""
