"""Where images come from: verification of single images, signed manifests, and descriptions of datasets (Croissant)."""
