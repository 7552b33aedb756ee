"""Measures a dataset after its download, where the real images are."""
