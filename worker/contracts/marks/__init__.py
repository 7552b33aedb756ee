"""The mark in image files: it says that a model made the image, and from which address. See docs/marks.md."""
