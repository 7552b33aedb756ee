"""Renders jobs. Each device has one process that keeps its models loaded."""
