"""The worker process: loads the models, then works until it is stopped."""

import logging
import os
import socket
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from threading import Event, Thread
from uuid import uuid4

import torch
from redis import Redis
from redis.exceptions import RedisError

from models.precision import fastest_dtype
from worker.contracts import logs
from worker.contracts.catalog import SetAside
from worker.contracts.logs import fields
from worker.contracts.queue.connection import connect
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.store.open_store import open_store
from worker.errors import WeightsError
from worker.queue.alive_file import AliveFile
from worker.queue.background import Background
from worker.queue.choice_tracker import ChoiceTracker
from worker.queue.cost_meter import CostMeter
from worker.queue.cost_sample import measure_costs
from worker.queue.direct_responder import DirectResponder
from worker.queue.distiller import Distiller
from worker.queue.heartbeat import Heartbeat
from worker.queue.job_finisher import JobFinisher
from worker.queue.model_publisher import publish_models
from worker.queue.rq_worker import RqWorker
from worker.queue.shard_renderer import REPORT_SECONDS, ShardRenderer
from worker.queue.store_check import StoreCheck
from worker.queue.task_runner import TaskRunner
from worker.queue.watchdog import Watchdog
from worker.renderer import Renderer
from worker.rendering.device import choose_device
from worker.rendering.encoder_pool import EncoderPool
from worker.rendering.encoding import Encoder, encode
from worker.rendering.engine import RenderEngine, find_checkpoints, load_fitting_engine
from worker.rendering.remote_models import find_models_folder
from worker.settings import WorkerSettings
from worker.style import vgg
from worker.style.distilled_models import DistilledModels
from worker.style.stylizer import Stylizer, styled_together
from worker.style.vgg import Vgg19

_RETRY_SECONDS = 1.0
_REDIS_TIMEOUT_SECONDS = 20
"""Socket timeout. It is longer than the worker blocks to wait for a task."""
_DIRECT_TIMEOUT_SECONDS = 3
"""Socket timeout of direct requests. It is short, because the stop of the worker waits for them."""
_GPU_THREADS = 4
"""Threads that render on a GPU. They wait for the device and for the processes that encode."""
_CHECK_SECONDS = 5.0
"""Time limit for a bucket in the worker's store check."""

log = logging.getLogger(__name__)


def run(settings: WorkerSettings) -> None:
    """Work until SIGTERM or SIGINT."""
    logs.configure(settings.log_level, settings.log_format)
    # RQ logs several lines for each task; ours are enough.
    logging.getLogger("rq").setLevel(logging.WARNING)
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    # Threads work on different batches, not on parts of one layer. So no thread ever waits for another one.
    torch.set_num_threads(1)
    device = choose_device(settings.device)
    is_gpu = device.type == "cuda"
    if is_gpu:
        # Without this, cuBLAS sums gradients of style transfer in varying order. It reads the variable when it starts.
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = os.environ.get("CUBLAS_WORKSPACE_CONFIG") or ":4096:8"
    # An address must always give the same bytes, so faster kernels that vary from run to run are not allowed. PyTorch's
    # own deterministic mode is not used: it would make every render slower. worker/style/repeatable.py replaces it.
    torch.backends.cudnn.deterministic = True
    threads = settings.threads or cores()
    render_threads = min(threads, _GPU_THREADS) if is_gpu else threads
    with EncoderPool(threads) if is_gpu else nullcontext() as encoders:
        engine = load_fitting_engine(find_checkpoints(find_models_folder(settings.models)), device, render_threads)
        if not engine.entries:
            log.warning("no checkpoint was found", extra=fields(folder=settings.models))
        vgg19, set_aside = _load_vgg19(settings, engine)
        set_aside = [*engine.set_aside, *set_aside]
        work(settings, engine, vgg19=vgg19, set_aside=set_aside, encoders=encoders)


def work(
    settings: WorkerSettings,
    engine: RenderEngine,
    encode: Encoder = encode,
    vgg19: Vgg19 | None = None,
    set_aside: Sequence[SetAside] = (),
    encoders: EncoderPool | None = None,
) -> None:
    """Do tasks until SIGTERM or SIGINT."""
    redis = _wait_for_redis(settings)
    name, stopping = f"{socket.gethostname()}-{uuid4().hex}", Event()
    heartbeat = Heartbeat(
        redis,
        name,
        str(engine.device),
        engine.numerics,
        engine.entries,
        facts=engine.facts,
        vgg19=vgg19.sha256 if vgg19 else None,
        set_aside=set_aside,
        alive_file=AliveFile(settings.heartbeat_file),
        answers_directly=True,
        threads=engine.threads,
        styled_together=styled_together(engine.device, engine.threads),
    )
    log.info("worker started", extra=fields(name=name, device=engine.device, models=len(engine.entries)))
    with (
        ThreadPoolExecutor(engine.threads, "render", torch.set_num_threads, (1,)) as render_threads,
        # Settling waits for the disk for a long time. In a thread of its own it delays no shard.
        ThreadPoolExecutor(1, "settle") as settling_thread,
        ThreadPoolExecutor(1, "store") as storing_thread,
        ThreadPoolExecutor(3, "ask") as asking_threads,
    ):
        store, task_queue = open_store(settings.store), TaskQueue(redis)
        count_halving = partial(heartbeat.counts.count, "out_of_memory_halvings")
        stylizer = Stylizer(vgg19, engine.device, store.styles.image) if vgg19 else None
        watchdog = Watchdog(settings.watchdog_seconds)
        distiller = None
        if stylizer is not None:
            distilled_models = DistilledModels(
                store, stylizer, render_threads, settings.learnt_mb * 1_000_000, count_halving
            )
            distiller = Distiller(distilled_models, heartbeat, watchdog, stopping)
        renderer = Renderer(render_threads, engine.threads, REPORT_SECONDS, encode, stylizer, encoders)
        task_runner = TaskRunner(
            store,
            engine,
            heartbeat,
            task_queue,
            ShardRenderer(renderer, heartbeat, watchdog, stopping, ChoiceTracker(store.shards), Background()),
            JobFinisher(store, heartbeat, settling_thread, stopping),
            storing_thread,
            asking_threads,
            stopping,
            watchdog,
            # A store of its own, because a check must fail sooner than a task gives up.
            StoreCheck(open_store(settings.store, _CHECK_SECONDS)),
            heartbeat.offers,
            distiller,
        )
        # The thread of the files is a daemon: it must not delay the stop of a worker whose store hangs.
        publish = partial(publish_models, store.model_files, engine, stopping)
        Thread(target=publish, name="publish", daemon=True).start()
        # In the background, because the first job must not wait for it.
        settling_thread.submit(_measure_costs, engine, replace(renderer, stylizer=None), heartbeat.cost_meter)
        # Direct requests have connections of their own, because they wait while tasks run. They are answered until
        # the announcement of this worker is removed.
        direct_redis = connect(settings.redis_url, _DIRECT_TIMEOUT_SECONDS, retries=0, password=settings.redis_password)
        direct_watchdog = Watchdog(settings.watchdog_seconds)
        with DirectResponder(direct_redis, engine, renderer, heartbeat.counts, direct_watchdog):
            RqWorker(redis, name, task_runner, heartbeat, stopping).work(logging_level=None)
    log.info("worker stopped", extra=fields(name=name))
    if not stopping.is_set():
        raise SystemExit(1)  # RQ returns normally even when an unexpected error has ended its loop


def _measure_costs(engine: RenderEngine, renderer: Renderer, meter: CostMeter) -> None:
    """Render a few images of each model. Without their costs, no estimate would be possible before the first job."""
    for entry in engine.entries:
        try:
            meter.add(entry.sha256, measure_costs(engine.model(entry), renderer))
        except Exception:
            log.exception("costs were not measured", extra=fields(model=entry.name))


def _load_vgg19(settings: WorkerSettings, engine: RenderEngine) -> tuple[Vgg19 | None, list[SetAside]]:
    """Load VGG19. If that fails, list the file as set aside: only style transfer is missing then."""
    path = settings.vgg19
    if path is None:
        return None, []
    try:
        return vgg.load(path, fastest_dtype(engine.device), engine.device), []
    except WeightsError as error:
        log.warning("style transfer is unavailable", extra=fields(reason=error))
        # The API shows the reason to its users, so it must not contain a path of this host.
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
            log.warning("redis was not reached", extra=fields(reason=error))
            time.sleep(_RETRY_SECONDS)
        else:
            return redis
