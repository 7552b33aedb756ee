"""What the kill matrix, the soak and the load test share: a service whose parts are hit, and what must hold then."""
