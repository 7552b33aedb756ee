"""Renders jobs: one warm process per device."""
