"""Style transfer: images that keep their content and take the texture and the colours of a painting."""
