"""The command's start: it finds Imagemill's own packages, whatever else has their names."""
