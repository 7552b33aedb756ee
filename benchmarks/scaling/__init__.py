"""How the service scales: simulated workers at the speed of GPUs against the real queue, API and store."""
