"""The front door: HTTP and the command line. Never loads a tensor library."""
