"""Style images: decodes, stores and lists them."""
