"""Shared by kill matrix, soak and load test: a service under faults, and the conditions that must hold."""
