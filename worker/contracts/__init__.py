"""The code that app and worker share: jobs, the store, the catalogue of models, the task queue and settings."""
