"""Trains the quality gate of a generator, and measures its effect."""
