"""The worker process: load the models, then work until told to stop."""

import logging
import os
import socket
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from uuid import uuid4

import torch
from redis import Redis
from redis.exceptions import RedisError

from models.precision import fastest_dtype
from worker.contracts import logs
from worker.contracts.catalog import SetAside, offers
from worker.contracts.queue.connection import connect
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.store.open_store import open_store
from worker.errors import WeightsError
from worker.queue.alive_file import AliveFile
from worker.queue.heartbeat import Heartbeat
from worker.queue.rq_worker import RqWorker
from worker.queue.store_check import StoreCheck
from worker.queue.task_runner import BEAT_SECONDS, TaskRunner
from worker.queue.watchdog import Watchdog
from worker.renderer import Renderer
from worker.rendering.encoding import Encoder, encode
from worker.rendering.engine import RenderEngine, choose_device, find_checkpoints, load_fitting_engine
from worker.settings import WorkerSettings
from worker.style import vgg
from worker.style.distilled_models import DistilledModels
from worker.style.stylizer import Stylizer
from worker.style.vgg import Vgg19

_RETRY_SECONDS = 1.0
_REDIS_TIMEOUT_SECONDS = 20
"""Longer than the worker waits for a task."""
_CHECK_SECONDS = 5.0
"""Timeout of the worker's store check."""

log = logging.getLogger(__name__)


def run(settings: WorkerSettings) -> None:
    """Work until SIGTERM or SIGINT."""
    logs.configure(settings.log_level, settings.log_format)
    logging.getLogger("rq").setLevel(logging.WARNING)
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    # Batches are shared out among threads, not layers: no thread waits for another, whatever else the cores do.
    torch.set_num_threads(1)
    device = choose_device(settings.device)
    if device.type == "cuda":
        # The gradients that style transfer needs are summed in any order else; a library reads its name when it starts.
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = os.environ.get("CUBLAS_WORKSPACE_CONFIG") or ":4096:8"
        torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.deterministic = True
    runtime = load_fitting_engine(find_checkpoints(settings.models), device, settings.threads or cores())
    if not runtime.entries:
        log.warning("no checkpoint was found folder=%s", settings.models)
    network, set_aside = _vgg19(settings, runtime)
    work(settings, runtime, network=network, set_aside=[*runtime.set_aside, *set_aside])


def work(
    settings: WorkerSettings,
    runtime: RenderEngine,
    encode: Encoder = encode,
    network: Vgg19 | None = None,
    set_aside: Sequence[SetAside] = (),
) -> None:
    """Take tasks until SIGTERM or SIGINT."""
    redis = _wait_for_redis(settings)
    name, stopping = f"{socket.gethostname()}-{uuid4().hex}", Event()
    pulse = Heartbeat(
        redis,
        name,
        str(runtime.device),
        runtime.numerics,
        runtime.entries,
        vgg19=network.sha256 if network else None,
        set_aside=set_aside,
        heartbeat=AliveFile(settings.heartbeat_file),
    )
    log.info("worker started name=%s device=%s models=%d", name, runtime.device, len(runtime.entries))
    with (
        ThreadPoolExecutor(runtime.threads, "render", torch.set_num_threads, (1,)) as threads,
        ThreadPoolExecutor(1, "settle") as settling,
        ThreadPoolExecutor(1, "store") as storing,
    ):
        store, line = open_store(settings.store), TaskQueue(redis)
        halved = partial(pulse.tally.count, "out_of_memory_halvings")
        studio = Stylizer(network, runtime.device, store.styles.picture, halved) if network else None
        most_bytes = settings.learnt_mb * 1_000_000
        distillery = DistilledModels(store, studio, threads, most_bytes) if studio else None
        mills = Renderer(threads, runtime.threads, BEAT_SECONDS, encode, studio)
        watchdog = Watchdog(settings.watchdog_seconds)
        store_check = StoreCheck(open_store(settings.store, _CHECK_SECONDS))
        offered = offers((entry.sha256 for entry in runtime.entries), network.sha256 if network else None)
        tasks = TaskRunner(
            store,
            runtime,
            pulse,
            line,
            mills,
            storing,
            settling,
            stopping,
            watchdog,
            store_check,
            offered,
            distillery,
        )
        RqWorker(redis, name, tasks, pulse, stopping).work(logging_level=None)
    log.info("worker stopped name=%s", name)
    if not stopping.is_set():
        raise SystemExit(1)  # RQ returns as if all were well when something unexpected has ended its loop


def _vgg19(settings: WorkerSettings, runtime: RenderEngine) -> tuple[Vgg19 | None, list[SetAside]]:
    """Load what style transfer needs, or tell why it cannot be loaded; without it, everything else works."""
    path = settings.vgg19
    if path is None:
        return None, []
    try:
        return vgg.load(path, fastest_dtype(runtime.device), runtime.device), []
    except WeightsError as error:
        log.warning("there is no style transfer reason=%s", error)
        return None, [SetAside(file=path.name, reason=str(error).removeprefix(f"{path}: "))]


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _wait_for_redis(settings: WorkerSettings) -> Redis:
    redis = connect(settings.redis_url, _REDIS_TIMEOUT_SECONDS, password=settings.redis_password)
    while True:
        try:
            redis.ping()
        except RedisError as error:
            log.warning("redis was not reached reason=%s", error)
            time.sleep(_RETRY_SECONDS)
        else:
            return redis
