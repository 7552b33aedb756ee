"""Tests whether synthetic images help a classifier, on real images that the generator has not seen."""
