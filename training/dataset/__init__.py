"""A folder, class folders, a zip or a CSV of labels becomes one checked array of uint8 images."""
