"""Proof of use: classifiers show whether training on synthetic images helps, on real images that no generator saw."""
