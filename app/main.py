"""Builds the API application from its settings."""

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
_HEALTH_REDIS_TIMEOUT_SECONDS = 0.4
"""Redis timeout of health checks and metrics, which must report soon that Redis is unreachable."""

_STORE_TIMEOUT_SECONDS = 2.0
"""Timeout of each call to the object store while a request is served."""
_HEALTH_STORE_TIMEOUT_SECONDS = 1.5
"""Timeout of each call to the object store in a health check."""


def create_app(settings: Settings) -> FastAPI:
    """Build the application. Its reconciler runs while the application does. Raises KeysError, SettingsError."""
    key_file = None if settings.keys is None else KeyFile(settings.keys)
    redis = connect(settings.redis_url, _REDIS_TIMEOUT_SECONDS, password=settings.redis_password)
    store, task_queue, cluster_state = (
        open_store(settings.store, _STORE_TIMEOUT_SECONDS),
        TaskQueue(redis),
        ClusterState(redis),
    )
    disk_space = DiskSpace(redis, store, store.free_bytes, settings.min_free_bytes)
    reconciler = Reconciler(redis, store, task_queue, cluster_state, disk_space, settings.reconcile_every_seconds)

    notifications = JobNotifications(connect_async(settings.redis_url, _REDIS_TIMEOUT_SECONDS, settings.redis_password))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        reconciler.start()
        notifications_task = asyncio.create_task(notifications.run())
        yield
        notifications_task.cancel()
        await asyncio.gather(notifications_task, run_in_threadpool(reconciler.stop), return_exceptions=True)

    options: dict[str, Any] = {"lifespan": lifespan, "redirect_slashes": False, "docs_url": None}
    app = FastAPI(title="Imagemill", summary="Image datasets on demand.", **options)
    app.state.store, app.state.notifications = store, notifications
    app.state.styles = StyleService(store, disk_space)
    app.state.quota = Quota(redis, store, cluster_state)
    app.state.models = ModelCatalog(cluster_state, settings.default_model)
    job_factory = JobFactory(app.state.models, app.state.styles, settings.shard_images)
    app.state.service = JobService(
        settings, store, task_queue, cluster_state, app.state.models, job_factory, app.state.quota, disk_space
    )
    app.state.watcher = JobWatcher(app.state.service.reader, notifications)
    app.state.health_checks = _health_checks(settings)
    app.include_router(router)
    app.include_router(image_routes.router)
    app.include_router(catalog_routes.router)
    app.include_router(health_routes.router)
    app.add_middleware(EventHeadersMiddleware)
    app.add_middleware(
        AuthMiddleware, key_file=key_file, origins=settings.cors_origins, is_local_only=settings.open is None
    )
    app.add_middleware(CorsMiddleware, origins=settings.cors_origins)
    app.add_middleware(PrefixMiddleware, prefix=settings.root_path, own_segments=_first_segments())
    problems.install(app, settings.max_images)
    openapi_document.install(app, has_keys=key_file is not None)
    return app


def _first_segments() -> set[str]:
    """Return the first segments of all paths of the service."""
    routes = [
        route
        for routes in (router, image_routes.router, catalog_routes.router, health_routes.router)
        for route in routes.routes
    ]
    return {route.path.split("/")[1] for route in routes if isinstance(route, APIRoute)} | {"docs", "openapi.json"}


def _health_checks(settings: Settings) -> HealthChecks:
    redis = connect(settings.redis_url, _HEALTH_REDIS_TIMEOUT_SECONDS, retries=0, password=settings.redis_password)
    store, cluster_state = Store(settings.store, _HEALTH_STORE_TIMEOUT_SECONDS), ClusterState(redis)
    return HealthChecks(
        PrometheusCollector(store, TaskQueue(redis), cluster_state),
        Readiness(store, cluster_state, settings.min_free_mb),
    )
