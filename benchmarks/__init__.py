"""Measurements that the figures in `docs` come from: loops, recipes and peers side by side. Not part of the package."""
