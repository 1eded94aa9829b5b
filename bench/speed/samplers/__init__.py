"""How fast indices are drawn: every sampler of this project beside those of others and the floor of the machine."""
