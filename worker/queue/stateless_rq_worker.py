"""RQ's work loop without the records that RQ keeps of its workers in Redis.

Everything that depends on the internals of RQ 3 is here. `tests/unit/worker/queue/test_stateless_rq_worker.py` fails if
a new version of RQ changes one of them.
"""

from collections.abc import Sequence
from threading import Event
from types import FrameType
from typing import Any

from redis import Redis
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.worker.base import WorkerStatus

from worker.queue.task_job import TaskJob

IDLE_SECONDS = 5
"""Longest time that the loop blocks to wait for a task."""
RQ_TTL_MARGIN_SECONDS = 15
"""RQ blocks for its `worker_ttl` less this margin (`dequeue_timeout`), so that its record does not expire meanwhile."""
_RECONNECT_SECONDS = 2.0


class StatelessRqWorker(SimpleWorker):
    """Takes tasks from queues. It keeps its state in this process, and writes nothing about itself to Redis.

    RQ's list of workers is not used, because RQ never removes killed workers from it.
    """

    job_class = TaskJob
    max_connection_wait_time = _RECONNECT_SECONDS

    def __init__(self, redis: Redis, name: str, queue_names: Sequence[str], stopping: Event) -> None:
        super().__init__(
            list(queue_names),
            name=name,
            connection=redis,
            serializer=JSONSerializer,
            worker_ttl=IDLE_SECONDS + RQ_TTL_MARGIN_SECONDS,
            log_job_description=False,
            # Else RQ sends CLIENT INFO, and Redis' client cannot parse the reply if a socket's path has a space.
            prepare_for_work=False,
        )
        self.stopping = stopping

    def put_first(self, queue: Queue) -> None:
        """Read one queue before the others from now on."""
        # RQ passes this private list to BLPOP, which takes from the first queue that has an entry.
        self._ordered_queues = [queue, *(each for each in self.queues if each != queue)]

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:  # noqa: ANN401, ARG002
        """Raise StopRequested if a signal has arrived. RQ would renew its record of this worker.

        A library may have swallowed the StopRequested that the signal handler raised.
        """
        if self._stop_requested:
            raise StopRequested

    def request_stop(self, _signum: int, _frame: FrameType | None) -> None:
        """Stop after the current batch, or immediately if idle.

        RQ's signal handler writes the time of the request to Redis, and a second signal would exit at once.
        """
        self._stop_requested = True
        self.stopping.set()
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested

    def set_state(self, state: str, pipeline: Any = None) -> None:  # noqa: ANN401, ARG002
        """Keep the state in this process. RQ would write it to Redis."""
        self._state = state  # `get_state` reads it

    def register_birth(self) -> None:
        """Do nothing. RQ would add this worker to its list and write its record."""

    def register_death(self) -> None:
        """Do nothing. RQ would remove this worker from its list."""

    def run_maintenance_tasks(self) -> None:
        """Do nothing. RQ would clean its registries of jobs."""

    def subscribe(self) -> None:
        """Do nothing. RQ would start a thread that receives commands, such as the order to stop, from Redis."""

    def unsubscribe(self) -> None:
        """Do nothing. RQ would end the thread of `subscribe`."""
