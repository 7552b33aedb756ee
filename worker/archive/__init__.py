"""The archive of a job: ZIP members, metadata and dataset card."""
