"""How far Imagemill is from the bare hardware, and how far ahead of what people write themselves."""
