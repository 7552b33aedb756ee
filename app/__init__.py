"""The HTTP service, the Python client and the command line. This package never imports a tensor library."""
