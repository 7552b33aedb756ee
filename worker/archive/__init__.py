"""The archive of a job: ZIP members, metadata, dataset card."""
