"""Style transfer: images keep their content and take the texture and colours of a style image."""
