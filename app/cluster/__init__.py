"""The state that all API processes and workers share: workers, models, metrics, disk space."""
