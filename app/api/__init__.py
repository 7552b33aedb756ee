"""The HTTP layer: endpoints, middleware and errors. Only this package and `app.main` import FastAPI."""
