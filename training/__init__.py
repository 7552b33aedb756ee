"""Offline: a folder of images becomes a checkpoint. Does not know that a service exists."""
