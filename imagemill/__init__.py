"""Entry point of all processes. It imports Imagemill's own packages, even if other modules have the same names."""
