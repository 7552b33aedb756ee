"""The state that all API processes and workers share: live workers, models, metrics and disk space."""
