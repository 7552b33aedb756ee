"""The requests and responses of the HTTP API."""
