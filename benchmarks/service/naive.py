"""The engine `naive`: a FastAPI endpoint that generates everything and then answers. uvicorn runs `create_app`."""

from fastapi import FastAPI, Response

from benchmarks.service.tutorial import Tutorial


def create_app() -> FastAPI:
    """Load the model, and return the app."""
    app, tutorial = FastAPI(), Tutorial()

    @app.post("/generate")
    def generate(n: int) -> Response:
        return Response(tutorial.archive(n), media_type="application/zip")

    return app
