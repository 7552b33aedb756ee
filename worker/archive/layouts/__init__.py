"""Layouts of archives: how images are packed. Each layout is a module with the functions of `layout.Layout`."""
