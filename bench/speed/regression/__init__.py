"""Whether samplers have become slower: their time over the floor of the machine, beside a baseline of the same machine."""
