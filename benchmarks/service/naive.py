"""The engine `naive`: a FastAPI endpoint that does it all and then answers. Run by uvicorn, from `create_app`."""

from fastapi import FastAPI, Response

from benchmarks.service.tutorial import Tutorial


def create_app() -> FastAPI:
    """Load the model and make the app."""
    app, tutorial = FastAPI(), Tutorial()

    @app.post("/generate")
    def generate(n: int) -> Response:
        return Response(tutorial.archive(n), media_type="application/zip")

    return app
