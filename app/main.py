"""Builds the API application from its settings."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from redis.asyncio import Redis as AsyncRedis
from starlette.concurrency import run_in_threadpool

from app.api import problems, routes
from app.api.auth_middleware import AuthMiddleware
from app.api.body_limit import BodyTooLargeMiddleware
from app.api.cors import CorsMiddleware
from app.api.event_headers import EventHeadersMiddleware
from app.api.health_checks import HealthChecks
from app.api.openapi_document import DocumentedApp
from app.api.prefix_middleware import PrefixMiddleware
from app.api.services import Services
from app.auth.key_file import KeyFile
from app.auth.quota import Quota
from app.auth.sessions import Sessions
from app.cluster.cluster_state import ClusterState
from app.cluster.disk_space import DiskSpace
from app.cluster.model_catalog import ModelCatalog
from app.cluster.model_files import ModelFiles
from app.cluster.prometheus import PrometheusCollector
from app.cluster.readiness import Readiness
from app.estimates.estimator import Estimator
from app.gallery.gallery import Gallery
from app.jobs.address_renderer import AddressRenderer
from app.jobs.archive_digest import ArchiveDigests
from app.jobs.direct_requests import DirectRequests
from app.jobs.job_factory import JobFactory
from app.jobs.job_listing import JobListing
from app.jobs.job_service import JobService
from app.jobs.notifications import JobNotifications
from app.jobs.owner_watcher import OwnerWatcher
from app.jobs.point_factory import PointFactory
from app.jobs.point_renderer import PointRenderer
from app.jobs.reconciler import Reconciler
from app.jobs.watcher import JobWatcher
from app.provenance.image_search import ImageSearch
from app.provenance.manifests import Manifests
from app.provenance.signature import load_signing_key
from app.provenance.verifier import Verifier
from app.runs.run_folders import RunFolders
from app.settings import Settings
from app.styles.decode_queue import DecodeQueue
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
    """Build the application. Its reconciler runs while the application does. Raises ApiKeysError, SettingsError."""
    key_file = None if settings.keys is None else KeyFile(settings.keys)
    services, reconciler = _create_services(settings, key_file)
    app = DocumentedApp(
        has_keys=key_file is not None,
        title="Imagemill",
        summary="Image datasets on demand.",
        redirect_slashes=False,
        lifespan=_lifespan(reconciler, services),
    )
    app.state.services = services
    routes.add_routes(app)
    _add_middleware(app, settings, key_file, services.sessions)
    problems.install(app, settings.max_images)
    return app


def _create_services(settings: Settings, key_file: KeyFile | None) -> tuple[Services, Reconciler]:
    """Connect to Redis and the store, and create everything that uses these connections."""
    redis = connect(settings.redis_url, _REDIS_TIMEOUT_SECONDS, password=settings.redis_password)
    store = open_store(settings.store, _STORE_TIMEOUT_SECONDS)
    queue, cluster = TaskQueue(redis), ClusterState(redis)
    disk_space = DiskSpace(redis, store, store.free_bytes, settings.min_free_bytes)
    model_files = ModelFiles(store, is_private=settings.weights == "private")
    models, decodes = ModelCatalog(cluster, settings.default_model, model_files), DecodeQueue()
    styles = StyleService(store, disk_space, decodes)
    quota, factory = Quota(redis, store, cluster), JobFactory(models, styles, settings.shard_images, settings.marking)
    jobs = JobService(settings, store, queue, cluster, models, factory, quota, disk_space)
    notifications, direct_requests = (
        JobNotifications(_connect_async(settings)),
        DirectRequests(_connect_async(settings)),
    )
    watcher = JobWatcher(jobs.reader, notifications)
    addresses = AddressRenderer(models, factory, jobs, watcher, quota, direct_requests)
    points = PointRenderer(models, PointFactory(models, factory), addresses, direct_requests)
    digests = ArchiveDigests(store)
    services = Services(
        store=store,
        jobs=jobs,
        estimator=Estimator(settings, store, queue, cluster, factory, quota, disk_space),
        job_listing=JobListing(store, jobs.reader),
        models=models,
        model_files=model_files,
        styles=styles,
        quota=quota,
        watcher=watcher,
        owner_watcher=OwnerWatcher(store, jobs.reader, notifications),
        gallery=Gallery(store, jobs.reader),
        notifications=notifications,
        direct_requests=direct_requests,
        addresses=addresses,
        points=points,
        manifests=Manifests(store, jobs.reader, digests, load_signing_key(settings.signing_key)),
        verifier=Verifier(models, addresses, points, ImageSearch(store), decodes),
        health_checks=_create_health_checks(settings),
        digests=digests,
        sessions=None if key_file is None else Sessions(_connect_async(settings), key_file),
        runs=RunFolders(settings.runs),
    )
    return services, Reconciler(redis, store, queue, cluster, disk_space, settings.reconcile_every_seconds)


def _connect_async(settings: Settings) -> AsyncRedis:
    return connect_async(settings.redis_url, _REDIS_TIMEOUT_SECONDS, settings.redis_password)


def _create_health_checks(settings: Settings) -> HealthChecks:
    # Own connections with short timeouts: a slow server must show in the check instead of delaying it.
    redis = connect(settings.redis_url, _HEALTH_REDIS_TIMEOUT_SECONDS, retries=0, password=settings.redis_password)
    store, cluster = Store(settings.store, _HEALTH_STORE_TIMEOUT_SECONDS), ClusterState(redis)
    return HealthChecks(
        PrometheusCollector(store, TaskQueue(redis), cluster),
        Readiness(store, cluster, settings.min_free_mb),
    )


def _lifespan(reconciler: Reconciler, services: Services) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return a context manager that runs the background work of the application."""

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        reconciler.start()
        receivers = [asyncio.create_task(each.run()) for each in (services.notifications, services.direct_requests)]
        yield
        for receiver in receivers:
            receiver.cancel()
        await asyncio.gather(*receivers, run_in_threadpool(reconciler.stop), return_exceptions=True)

    return run


def _add_middleware(app: FastAPI, settings: Settings, key_file: KeyFile | None, sessions: Sessions | None) -> None:
    """Add all middleware. The last one added receives a request first."""
    origins = settings.cors_origins
    app.add_middleware(EventHeadersMiddleware)
    # The caller is checked inside CORS, so that pages can read refusals, and inside the prefix, which sets the path.
    app.add_middleware(
        AuthMiddleware,
        key_file=key_file,
        sessions=sessions,
        origins=origins,
        is_local_only=settings.open is None,
    )
    app.add_middleware(CorsMiddleware, origins=origins)
    app.add_middleware(PrefixMiddleware, prefix=settings.root_path, own_segments=routes.first_segments())
    app.add_middleware(BodyTooLargeMiddleware)
