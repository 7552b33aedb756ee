"""The API process: builds the application from its settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from app import choices, errors, probes
from app.bell import Bell
from app.gate import Gate
from app.keyring import KeyRing
from app.live import Live
from app.metrics import Metrics
from app.models import Models
from app.orders import Orders
from app.probes import Probes
from app.quota import Quota
from app.readiness import Readiness
from app.reconciler import Reconciler
from app.routes import router
from app.schemas import Problem
from app.service import Service
from app.settings import Settings
from app.styles import Styles
from app.waiting import Waiting
from worker.contracts.artifacts import Artifacts
from worker.contracts.line import Line
from worker.contracts.queue import connect, connect_async
from worker.contracts.store import open_store

_REDIS_TIMEOUT_SECONDS = 5
_PROBE_TIMEOUT_SECONDS = 0.4
"""For who watches: that Redis is away is an answer too, and must come soon."""


def create_app(settings: Settings) -> FastAPI:
    """Build the application; its reconciler runs as long as it does. Raises KeysError, SettingsError."""
    ring = None if settings.keys is None else KeyRing(settings.keys)
    redis = connect(settings.redis_url, _REDIS_TIMEOUT_SECONDS, password=settings.redis_password)
    artifacts, line, live = open_store(settings.store), Line(redis), Live(redis)
    reconciler = Reconciler(redis, artifacts, line, live, settings.reconcile_every_seconds)

    bell = Bell(connect_async(settings.redis_url, _REDIS_TIMEOUT_SECONDS, settings.redis_password))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        reconciler.start()
        listening = asyncio.create_task(bell.run())
        yield
        listening.cancel()
        await asyncio.gather(listening, run_in_threadpool(reconciler.stop), return_exceptions=True)

    app = FastAPI(title="Imagemill", summary="Image datasets on demand.", lifespan=lifespan, redirect_slashes=False)
    app.state.artifacts, app.state.bell = artifacts, bell
    app.state.styles = Styles(artifacts, settings.min_free_bytes)
    app.state.quota = Quota(redis, artifacts, live)
    app.state.models = Models(live, settings.default_model)
    orders = Orders(app.state.models, app.state.styles, settings.shard_images)
    app.state.service = Service(settings, artifacts, line, live, app.state.models, orders, app.state.quota)
    app.state.waiting = Waiting(app.state.service, bell)
    app.state.probes = _probes(settings, artifacts)
    app.include_router(router)
    app.include_router(choices.router)
    app.include_router(probes.router)
    app.add_middleware(Gate, ring=ring, is_local=settings.open is None)
    errors.install(app, settings.max_images)
    _document_problems(app)
    return app


def _probes(settings: Settings, artifacts: Artifacts) -> Probes:
    redis = connect(settings.redis_url, _PROBE_TIMEOUT_SECONDS, retries=0, password=settings.redis_password)
    live = Live(redis)
    return Probes(Metrics(artifacts, Line(redis), live), Readiness(artifacts, live, settings.min_free_mb))


def _document_problems(app: FastAPI) -> None:
    build = app.openapi

    def openapi() -> dict[str, object]:
        schema = build()
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
