"""The expected costs of jobs: seconds, bytes, tries, disk space and quota."""
