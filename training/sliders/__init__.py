"""Sliders of a model: directions of z with a known effect on its images."""
