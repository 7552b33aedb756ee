"""The store: jobs, archives and styles as objects in a folder or a bucket."""
