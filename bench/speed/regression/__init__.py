"""Whether samplers have become slower: their time relative to a reference loop, compared with a baseline of this machine."""
