"""Wakes the requests that wait for a job when a worker publishes an event, so that they need not poll."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import ValidationError
from redis.asyncio import Redis

from worker.contracts.logs import fields
from worker.contracts.queue.events import EVENTS_CHANNEL, JobEvent
from worker.contracts.throttled_log import ThrottledLogger

_RECONNECT_SECONDS = 1.0
_RECEIVE_TIMEOUT_SECONDS = 5.0
POLL_SECONDS = 1.0
"""Interval of polling without an event, because events can be lost."""

log = logging.getLogger(__name__)


class Subscription:
    """The subscription of one request to the events of one job."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self.kinds = kinds
        self.event = asyncio.Event()

    async def wait(self, seconds: float = POLL_SECONDS) -> None:
        """Wait for an event since the last call. Returns after `seconds` without one, because events can be lost."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self.event.wait()
        except TimeoutError:
            return
        self.event.clear()  # only now: an event that came before this call must still wake it


class SubscriptionToAll(Subscription):
    """The subscription of one request to the events of all jobs."""

    def __init__(self) -> None:
        super().__init__(frozenset())
        self._job_ids = set[str]()

    def add(self, job_id: str) -> None:
        """Note the event of a job, and wake the request."""
        self._job_ids.add(job_id)
        self.event.set()

    def take(self) -> set[str]:
        """Return the ids of the jobs with events since the last call."""
        taken, self._job_ids = self._job_ids, set()
        return taken


class JobNotifications:
    """One Redis subscription for all waiting requests of this process.

    An event only says that the job may have changed. The request then reads the job.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._throttled_log = ThrottledLogger(log)
        self._subscriptions: dict[str, set[Subscription]] = defaultdict(set)
        self._subscriptions_to_all = set[SubscriptionToAll]()
        self.is_closed = False
        """Whether requests must stop waiting, because the process ends."""

    def close(self) -> None:
        """Wake all waiting requests; later waits return at once."""
        self.is_closed = True
        self._wake_all()

    @asynccontextmanager
    async def subscribe(self, job_id: str, *kinds: str) -> AsyncIterator[Subscription]:
        """Subscribe to some kinds of events of a job.

        Subscribe before reading the job: every change after the read then triggers an event.
        """
        subscription = Subscription(frozenset(kinds))
        self._subscriptions[job_id].add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[job_id].discard(subscription)
            if not self._subscriptions[job_id]:  # the dictionary must not grow with the jobs of a process
                del self._subscriptions[job_id]

    @asynccontextmanager
    async def subscribe_to_all(self) -> AsyncIterator[SubscriptionToAll]:
        """Subscribe to all events of all jobs."""
        subscription = SubscriptionToAll()
        self._subscriptions_to_all.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions_to_all.discard(subscription)

    async def run(self) -> None:
        """Dispatch events to the subscriptions until cancelled."""
        try:
            await self._receive()
        finally:
            await self._redis.aclose()

    async def _receive(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(EVENTS_CHANNEL)
                    self._wake_all()  # after the subscription: no event can be lost between both
                    while True:
                        self._dispatch(await pubsub.get_message(True, _RECEIVE_TIMEOUT_SECONDS))
            except Exception as error:  # this task must never end, whatever a broken connection raises
                self._throttled_log.warning(
                    "events cannot be received, requests poll meanwhile", extra=fields(reason=error)
                )
                await asyncio.sleep(_RECONNECT_SECONDS)

    def _dispatch(self, message: dict[str, bytes] | None) -> None:
        if message is None:
            return
        try:
            event = JobEvent.model_validate_json(message["data"])
        except ValidationError:
            return  # a process of another version published it; requests poll anyway
        for each in self._subscriptions_to_all:
            each.add(event.job_id)
        for subscription in self._subscriptions.get(event.job_id, ()):
            if event.kind in subscription.kinds:
                subscription.event.set()

    def _wake_all(self) -> None:
        """Wake all waiting requests, because events may have been lost without a connection."""
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.event.set()
        for each in self._subscriptions_to_all:
            each.event.set()
