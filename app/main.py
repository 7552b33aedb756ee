"""The API process: builds the application from its settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from app.api import catalog_routes, health_routes, image_routes, openapi_document, problems
from app.api.auth_middleware import AuthMiddleware
from app.api.cors import CorsMiddleware
from app.api.event_headers import EventHeadersMiddleware
from app.api.health_routes import HealthChecks
from app.api.job_routes import router
from app.api.prefix_middleware import PrefixMiddleware
from app.auth.key_file import KeyFile
from app.auth.quota import Quota
from app.cluster.cluster_state import ClusterState
from app.cluster.disk_space import DiskSpace
from app.cluster.model_catalog import ModelCatalog
from app.cluster.prometheus import PrometheusCollector
from app.cluster.readiness import Readiness
from app.jobs.job_factory import JobFactory
from app.jobs.job_service import JobService
from app.jobs.notifications import JobNotifications
from app.jobs.reconciler import Reconciler
from app.jobs.watcher import JobWatcher
from app.settings import Settings
from app.styles.style_service import StyleService
from worker.contracts.queue.connection import connect, connect_async
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.store.open_store import open_store
from worker.contracts.store.store import Store

_REDIS_TIMEOUT_SECONDS = 5
_PROBE_TIMEOUT_SECONDS = 0.4
"""For who watches: that Redis is away is an answer too, and must come soon."""

_BUCKET_SECONDS = 2.0
"""Timeout of each call of the store, for requests."""
_PROBED_BUCKET_SECONDS = 1.5
"""Timeout of each call of the store, for probes."""


def create_app(settings: Settings) -> FastAPI:
    """Build the application; its reconciler runs as long as it does. Raises KeysError, SettingsError."""
    ring = None if settings.keys is None else KeyFile(settings.keys)
    redis = connect(settings.redis_url, _REDIS_TIMEOUT_SECONDS, password=settings.redis_password)
    store, line, live = open_store(settings.store, _BUCKET_SECONDS), TaskQueue(redis), ClusterState(redis)
    room = DiskSpace(redis, store, store.free_bytes, settings.min_free_bytes)
    reconciler = Reconciler(redis, store, line, live, room, settings.reconcile_every_seconds)

    bell = JobNotifications(connect_async(settings.redis_url, _REDIS_TIMEOUT_SECONDS, settings.redis_password))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        reconciler.start()
        listening = asyncio.create_task(bell.run())
        yield
        listening.cancel()
        await asyncio.gather(listening, run_in_threadpool(reconciler.stop), return_exceptions=True)

    options: dict[str, Any] = {"lifespan": lifespan, "redirect_slashes": False, "docs_url": None}
    app = FastAPI(title="Imagemill", summary="Image datasets on demand.", **options)
    app.state.store, app.state.bell = store, bell
    app.state.styles = StyleService(store, room)
    app.state.quota = Quota(redis, store, live)
    app.state.models = ModelCatalog(live, settings.default_model)
    orders = JobFactory(app.state.models, app.state.styles, settings.shard_images)
    app.state.service = JobService(settings, store, line, live, app.state.models, orders, app.state.quota, room)
    app.state.waiting = JobWatcher(app.state.service.reader, bell)
    app.state.probes = _probes(settings)
    app.include_router(router)
    app.include_router(image_routes.router)
    app.include_router(catalog_routes.router)
    app.include_router(health_routes.router)
    app.add_middleware(EventHeadersMiddleware)
    app.add_middleware(AuthMiddleware, ring=ring, origins=settings.cors_origins, is_local=settings.open is None)
    app.add_middleware(CorsMiddleware, origins=settings.cors_origins)
    app.add_middleware(PrefixMiddleware, prefix=settings.root_path, names=_names())
    problems.install(app, settings.max_images)
    openapi_document.install(app, has_keys=ring is not None)
    return app


def _names() -> set[str]:
    """List what the paths of the service begin with."""
    routes = [
        route
        for room in (router, image_routes.router, catalog_routes.router, health_routes.router)
        for route in room.routes
    ]
    return {route.path.split("/")[1] for route in routes if isinstance(route, APIRoute)} | {"docs", "openapi.json"}


def _probes(settings: Settings) -> HealthChecks:
    redis = connect(settings.redis_url, _PROBE_TIMEOUT_SECONDS, retries=0, password=settings.redis_password)
    store, live = Store(settings.store, _PROBED_BUCKET_SECONDS), ClusterState(redis)
    return HealthChecks(
        PrometheusCollector(store, TaskQueue(redis), live), Readiness(store, live, settings.min_free_mb)
    )
