"""Reads the folders of training runs. Nothing here writes to them."""
