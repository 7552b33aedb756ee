"""API keys and the limits of their owners."""
