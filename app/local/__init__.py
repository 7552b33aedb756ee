"""Runs the whole service on one machine: queue server, API and workers."""
