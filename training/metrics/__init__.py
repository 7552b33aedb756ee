"""How good samples are, in figures: distances between feature sets of real and fake images. Knows no trainer."""
