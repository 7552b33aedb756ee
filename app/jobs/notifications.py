"""Wakes the requests that wait for a job when a worker publishes an event, so that they need not poll."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import ValidationError
from redis.asyncio import Redis

from worker.contracts.queue.events import EVENTS_CHANNEL, JobEvent
from worker.contracts.throttled_log import ThrottledLogger

_RECONNECT_SECONDS = 1.0
_LISTEN_SECONDS = 5.0
LOOK_SECONDS = 1.0
"""Interval of polling without an event, because events can be lost."""

log = logging.getLogger(__name__)


class Subscription:
    """The subscription of one request to the events of one job."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self.kinds = kinds
        self.rung = asyncio.Event()

    async def wait(self, seconds: float = LOOK_SECONDS) -> None:
        """Wait for an event since the last call. Returns after `seconds` without one, because events can be lost."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self.rung.wait()
        except TimeoutError:
            return
        self.rung.clear()


class JobNotifications:
    """One Redis subscription for all waiting requests of this process.

    An event only says that the job may have changed. The request then reads the job.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._trouble = ThrottledLogger(log)
        self._ears: dict[str, set[Subscription]] = defaultdict(set)
        self.is_closed = False
        """Whether requests must stop waiting, because the process ends."""

    def close(self) -> None:
        """Wake all waiting requests; later waits return at once."""
        self.is_closed = True
        self._ring_all()

    @asynccontextmanager
    async def listen(self, job_id: str, *kinds: str) -> AsyncIterator[Subscription]:
        """Subscribe to some kinds of events of a job.

        Subscribe before reading the job: every change after the read then triggers an event.
        """
        ear = Subscription(frozenset(kinds))
        self._ears[job_id].add(ear)
        try:
            yield ear
        finally:
            self._ears[job_id].discard(ear)
            if not self._ears[job_id]:
                del self._ears[job_id]

    async def run(self) -> None:
        """Dispatch events to the subscriptions until cancelled."""
        try:
            await self._listen()
        finally:
            await self._redis.aclose()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(EVENTS_CHANNEL)
                    self._ring_all()
                    while True:
                        self._pass_on(await subscription.get_message(True, _LISTEN_SECONDS))
            except Exception as error:  # this task must never end, whatever a broken connection raises
                self._trouble.warning("the bell is not heard just now reason=%s", error)
                await asyncio.sleep(_RECONNECT_SECONDS)

    def _pass_on(self, message: dict[str, bytes] | None) -> None:
        if message is None:
            return
        try:
            ring = JobEvent.model_validate_json(message["data"])
        except ValidationError:
            return
        for ear in self._ears.get(ring.job_id, ()):
            if ring.kind in ear.kinds:
                ear.rung.set()

    def _ring_all(self) -> None:
        """Wake all waiting requests, because events may have been lost without a connection."""
        for ears in self._ears.values():
            for ear in ears:
                ear.rung.set()
