"""A model as one HTML file, which draws images in any browser, without a server and without a network."""
