"""Compares Imagemill with the bare hardware, with a naive service and with other packages."""
