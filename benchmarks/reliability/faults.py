"""What is done to the service, and how it is undone."""

import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from redis import Redis

from benchmarks.reliability.ward import PASSWORD, Ward

_FROZEN_SECONDS = 17.0
"""Longer than a lease lasts."""
_DOWN_SECONDS = 1.0
_TROUBLE_SECONDS = 3.0
_CHANGED = "another"
_LARGEST_FILE = 1000
_CHUNK = bytes(1 << 16)

DISK_FULL = "disk full"

Act = Callable[[Ward], None]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong; it lasts for some seconds, and then the service is as it was."""

    target: str
    name: str
    strike: Act
    heal: Act
    seconds: float
    afterwards: Act = lambda _ward: None
    """Once all jobs have ended."""


def signals(target: str) -> list[Fault]:
    """List what the three signals do to a part."""
    kinds: list[tuple[str, Act, Act, float]] = [
        ("SIGKILL", _hit(target, signal.SIGKILL), _started_again(target), _DOWN_SECONDS),
        ("SIGTERM", _hit(target, signal.SIGTERM), _started_again(target), _DOWN_SECONDS),
    ]
    ended = [Fault(target, *kind) for kind in kinds]
    if target == "worker":
        return [*ended, _frozen_worker()]
    stop, heal = _hit(target, signal.SIGSTOP), _hit(target, signal.SIGCONT)
    faults = [*ended, Fault(target, "SIGSTOP", stop, heal, _FROZEN_SECONDS)]
    return list(map(_led_by_another, faults)) if target == "reconciler" else faults


def others() -> list[Fault]:
    """List what goes wrong besides."""
    return [
        Fault("queue", "emptied", _empty_queue, _nothing, 0),
        Fault("queue", "other password", _change_password, _restore_password, _TROUBLE_SECONDS),
        Fault("store", DISK_FULL, _fill, _empty, _TROUBLE_SECONDS),
        Fault("store", "file too large", _limit(_LARGEST_FILE), _limit(resource.RLIM_INFINITY), _TROUBLE_SECONDS),
    ]


def _nothing(_ward: Ward) -> None:
    return


def _part(ward: Ward, target: str) -> str:
    return {"worker": ward.worker, "api": ward.leader, "reconciler": ward.leader, "queue": "queue"}[target]


def _hit(target: str, number: signal.Signals) -> Act:
    return lambda ward: ward.hit(_part(ward, target), number)


def _started_again(target: str) -> Act:
    def heal(ward: Ward) -> None:
        name = _part(ward, target)
        ward.wait_ended(name)
        if target == "queue":
            ward.start_queue()
        elif target == "worker":
            ward.start_worker()
        else:
            ward.start_api(name)

    return heal


def _led_by_another(fault: Fault) -> Fault:
    """Heal only when the other reconciler has taken over, so that it is known who leads."""
    led_by: list[bytes | str | None] = []

    def strike(ward: Ward) -> None:
        led_by.append(ward.leader_name())
        fault.strike(ward)

    def heal(ward: Ward) -> None:
        ward.wait_for_new_leader(led_by.pop())
        fault.heal(ward)

    return replace(fault, strike=strike, heal=heal, afterwards=Ward.pass_leadership)


def _frozen_worker() -> Fault:
    """Freeze a worker for longer than its lease; another does its work, and then it goes on where it was."""
    frozen: list[str] = []

    def strike(ward: Ward) -> None:
        ward.hit(ward.worker, signal.SIGSTOP)
        frozen.append(ward.replace_worker())

    def heal(ward: Ward) -> None:
        ward.hit(frozen[-1], signal.SIGCONT)

    def dismiss(ward: Ward) -> None:
        ward.dismiss(frozen.pop())

    return Fault("worker", "SIGSTOP", strike, heal, _FROZEN_SECONDS, dismiss)


def _empty_queue(ward: Ward) -> None:
    ward.redis.flushall()


def _change_password(ward: Ward) -> None:
    ward.redis.config_set("requirepass", _CHANGED)
    for kind in ("normal", "pubsub"):
        ward.redis.client_kill_filter(_type=kind, skipme=True)


def _restore_password(ward: Ward) -> None:
    with Redis.from_url(ward.queue_url(_CHANGED)) as redis:
        redis.config_set("requirepass", PASSWORD)


def _fill(ward: Ward) -> None:
    """Leave no room on the disk, which must be one of a few megabytes."""
    with suppress(OSError), _ballast(ward).open("wb", buffering=0) as file:
        while True:
            file.write(_CHUNK)


def _empty(ward: Ward) -> None:
    _ballast(ward).unlink()


def _ballast(ward: Ward) -> Path:
    return ward.store_folder / "ballast"


def _limit(size: int) -> Act:
    def act(ward: Ward) -> None:
        resource.prlimit(ward.process(ward.worker).pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return act
