"""How fast indices are sampled: every sampler of this project, those of other packages, and a lower bound."""
