"""A benchmark of the whole program on one GPU, in sections with time limits."""
