"""The faults that are applied to the service, and how they are undone."""

import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from redis import Redis

from benchmarks.reliability.service_under_test import PASSWORD, ServiceUnderTest

_FROZEN_SECONDS = 17.0
"""Duration of a freeze: longer than a lease."""
_DOWN_SECONDS = 1.0
_TROUBLE_SECONDS = 3.0
_CHANGED = "another"
_LARGEST_FILE = 1000
_CHUNK = bytes(1 << 16)

DISK_FULL = "disk full"

Act = Callable[[ServiceUnderTest], None]


@dataclass(frozen=True)
class Fault:
    """A fault of one part of the service, which is undone after some seconds."""

    target: str
    name: str
    apply: Act
    undo: Act
    seconds: float
    afterwards: Act = lambda _service: None
    """Called once all jobs have ended."""


def signals(target: str) -> list[Fault]:
    """List the faults by signals: SIGKILL, SIGTERM and SIGSTOP."""
    kinds: list[tuple[str, Act, Act, float]] = [
        ("SIGKILL", _signal(target, signal.SIGKILL), _started_again(target), _DOWN_SECONDS),
        ("SIGTERM", _signal(target, signal.SIGTERM), _started_again(target), _DOWN_SECONDS),
    ]
    ended = [Fault(target, *kind) for kind in kinds]
    if target == "worker":
        return [*ended, _frozen_worker()]
    stop, undo = _signal(target, signal.SIGSTOP), _signal(target, signal.SIGCONT)
    faults = [*ended, Fault(target, "SIGSTOP", stop, undo, _FROZEN_SECONDS)]
    return list(map(_led_by_another, faults)) if target == "reconciler" else faults


def others() -> list[Fault]:
    """List the faults of queue server and disk."""
    return [
        Fault("queue", "emptied", _empty_queue, _nothing, 0),
        Fault("queue", "other password", _change_password, _restore_password, _TROUBLE_SECONDS),
        Fault("store", DISK_FULL, _fill, _empty, _TROUBLE_SECONDS),
        Fault("store", "file too large", _limit(_LARGEST_FILE), _limit(resource.RLIM_INFINITY), _TROUBLE_SECONDS),
    ]


def _nothing(_service: ServiceUnderTest) -> None:
    return


def _part(service: ServiceUnderTest, target: str) -> str:
    return {"worker": service.worker, "api": service.leader, "reconciler": service.leader, "queue": "queue"}[target]


def _signal(target: str, number: signal.Signals) -> Act:
    return lambda service: service.send_signal(_part(service, target), number)


def _started_again(target: str) -> Act:
    def undo(service: ServiceUnderTest) -> None:
        name = _part(service, target)
        service.wait_ended(name)
        if target == "queue":
            service.start_queue()
        elif target == "worker":
            service.start_worker()
        else:
            service.start_api(name)

    return undo


def _led_by_another(fault: Fault) -> Fault:
    """Undo a fault only when the other reconciler leads, so that the leader is known."""
    led_by: list[bytes | str | None] = []

    def apply(service: ServiceUnderTest) -> None:
        led_by.append(service.leader_name())
        fault.apply(service)

    def undo(service: ServiceUnderTest) -> None:
        service.wait_for_new_leader(led_by.pop())
        fault.undo(service)

    return replace(fault, apply=apply, undo=undo, afterwards=ServiceUnderTest.pass_leadership)


def _frozen_worker() -> Fault:
    """Freeze a worker for longer than its lease. Another worker does its task, and then the first one continues."""
    frozen: list[str] = []

    def apply(service: ServiceUnderTest) -> None:
        service.send_signal(service.worker, signal.SIGSTOP)
        frozen.append(service.replace_worker())

    def undo(service: ServiceUnderTest) -> None:
        service.send_signal(frozen[-1], signal.SIGCONT)

    def remove(service: ServiceUnderTest) -> None:
        service.remove(frozen.pop())

    return Fault("worker", "SIGSTOP", apply, undo, _FROZEN_SECONDS, remove)


def _empty_queue(service: ServiceUnderTest) -> None:
    service.redis.flushall()


def _change_password(service: ServiceUnderTest) -> None:
    service.redis.config_set("requirepass", _CHANGED)
    for kind in ("normal", "pubsub"):
        service.redis.client_kill_filter(_type=kind, skipme=True)


def _restore_password(service: ServiceUnderTest) -> None:
    with Redis.from_url(service.queue_url(_CHANGED)) as redis:
        redis.config_set("requirepass", PASSWORD)


def _fill(service: ServiceUnderTest) -> None:
    """Fill the disk, which must be one of a few megabytes."""
    with suppress(OSError), _filler(service).open("wb", buffering=0) as file:
        while True:
            file.write(_CHUNK)


def _empty(service: ServiceUnderTest) -> None:
    _filler(service).unlink()


def _filler(service: ServiceUnderTest) -> Path:
    return service.store_folder / "filler"


def _limit(size: int) -> Act:
    def act(service: ServiceUnderTest) -> None:
        resource.prlimit(service.process(service.worker).pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return act
