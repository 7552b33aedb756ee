"""Answers direct requests in a thread of its own, so that one image does not wait for a long job."""

import logging
from collections import deque
from threading import Event, Thread
from types import TracebackType
from typing import Self

import torch
from pydantic import ValidationError
from redis import Redis
from redis.exceptions import RedisError
from rq.utils import as_text

from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.previews import Preview
from worker.contracts.queue.direct_requests import DirectReply, DirectRequest
from worker.contracts.queue.redis_keys import direct_list_key, direct_replies_key, direct_request_key
from worker.contracts.throttled_log import ThrottledLogger
from worker.errors import TaskRefusedError
from worker.queue.failure import job_error
from worker.queue.unsent_counts import UnsentCounts
from worker.queue.watchdog import Watchdog, end_process
from worker.renderer import Renderer
from worker.rendering.device import is_usable
from worker.rendering.encoding import EncodedImage
from worker.rendering.engine import RenderEngine
from worker.rendering.preview_sheet import draw_sheet

_WAIT_SECONDS = 0.5
"""Longest time that the thread blocks to wait for a request, and so the delay of a stop."""
_RECONNECT_SECONDS = 1.0
_REPLY_TTL_SECONDS = 60
"""Lifetime of the replies to an API process that has died."""

log = logging.getLogger(__name__)


class DirectResponder:
    """A context manager: inside, one thread answers the direct requests for the models of this worker.

    It shares the loaded models with the threads that render jobs. Nothing in a model changes after it is loaded. On
    CUDA, all threads use one stream, so the device does their work in turn. The end of the context waits for the
    request in progress, and leaves the others to other workers.
    """

    def __init__(
        self, redis: Redis, engine: RenderEngine, renderer: Renderer, counts: UnsentCounts, watchdog: Watchdog
    ) -> None:
        self._redis, self._engine, self._renderer, self._counts = redis, engine, renderer, counts
        self._watchdog = watchdog
        """A watchdog of its own, because the one of tasks counts their time."""
        self._lists = deque(direct_list_key(engine.numerics.name, entry.sha256) for entry in engine.entries)
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="direct", daemon=True)
        self._throttled_log = ThrottledLogger(log)

    def __enter__(self) -> Self:
        """Start the thread."""
        if self._lists:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the thread, and wait until the request in progress is answered."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        torch.set_num_threads(1)  # a setting of each thread
        while not self._stopping.is_set():
            try:
                self._answer_next()
            except RedisError as error:
                self._throttled_log.warning("redis was not reached by direct requests", extra=fields(reason=error))
                self._stopping.wait(_RECONNECT_SECONDS)
            except Exception as error:  # whatever is in Redis, this thread must go on
                self._throttled_log.error("direct request failed unexpectedly", extra=fields(reason=error))

    def _answer_next(self) -> None:
        found = self._redis.blpop(list(self._lists), _WAIT_SECONDS)
        if found is None:
            return
        key, request_id = map(as_text, found)
        # BLPOP takes from the first list that has an entry. The list that was served goes last, so none starves.
        self._lists.remove(key)
        self._lists.append(key)
        taken = self._redis.getdel(direct_request_key(request_id))
        if taken is None:
            return  # the deadline is over, or the request was withdrawn
        request = DirectRequest.model_validate_json(taken)
        replies = direct_replies_key(request.process_id)
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.rpush(replies, self._reply(request_id, request))
            pipeline.expire(replies, _REPLY_TTL_SECONDS)
            pipeline.execute()

    def _reply(self, request_id: str, request: DirectRequest) -> bytes:
        try:
            image = self._draw_preview(request) if request.preview else self._render(request)
        except Exception as error:
            if isinstance(error, torch.AcceleratorError) or not is_usable(self._engine.device):
                log.critical("the device is unusable, so this process ends", extra=fields(reason=error))
                end_process()
            failure = job_error(error)
            log.exception("direct request failed", extra=fields(code=failure.code))
            return DirectReply(id=request_id, error=failure).pack()
        return DirectReply(id=request_id, sha256=image.sha256).pack(image.data)

    def _render(self, request: DirectRequest) -> EncodedImage:
        try:
            spec = JobSpec.model_validate_json(request.spec)
        except ValidationError as error:
            raise TaskRefusedError("the direct request is not of this worker's version") from error
        if spec.style is not None or spec.selection is not None or spec.model.numerics != self._engine.numerics:
            raise TaskRefusedError("a direct request has no style and no selection, and the numerics of its worker")
        model = self._engine.model(spec.model)
        with self._watchdog, self._counts.timed("direct", spec.style_mode):
            image = self._renderer.render_image(spec, model)
        self._counts.count("direct_images", spec.model.name)
        return image

    def _draw_preview(self, request: DirectRequest) -> EncodedImage:
        try:
            preview = Preview.model_validate_json(request.preview)
        except ValidationError as error:
            raise TaskRefusedError("the preview is not of this worker's version") from error
        model = self._engine.model(preview.model)
        with self._watchdog, self._counts.timed("direct", "none"):
            sheet = draw_sheet(preview, model)
        self._counts.count("direct_images", preview.model.name, by=len(preview.points))
        return EncodedImage.of(0, sheet)
