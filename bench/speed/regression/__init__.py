"""Whether samplers have become slower: their time relative to the lower bound, compared with a baseline of this machine."""
