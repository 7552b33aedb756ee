"""How long the service takes from its start until it is ready, and what for."""
