"""The HTTP layer: endpoints, middleware and error responses. Only this package and `app.main` import FastAPI."""
