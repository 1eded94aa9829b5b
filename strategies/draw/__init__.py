"""Index streams behind the samplers, and what they are made of: random words, alias tables, compiled loops."""
