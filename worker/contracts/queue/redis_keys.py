"""Names and lifetimes of the keys in Redis."""

import re

MODELS_KEY = "imagemill:models"
"""Hash of model name to CatalogEntry JSON; it outlives the workers."""
SEEN_KEY = "imagemill:seen"
"""Hash of a numerics' name to when a worker of it was last seen, in seconds since the epoch."""
WORKER_KEYS = "imagemill:worker:*"
PAUSED_KEYS = "imagemill:paused:*"
"""Of workers that are alive and take no tasks."""
WORKER_TTL_SECONDS = 30
LEASE_TTL_SECONDS = 15
"""A lease is renewed after every batch, so this also bounds the length of one."""
_QUEUE = re.compile(r"imagemill:([a-z0-9-]+):(short|long)")
SET_ASIDE_TTL_SECONDS = 3600
"""Longer than a shard takes. Only the files of live workers are read."""
LIVE_TTL_SECONDS = 7 * 24 * 3600
"""Progress and cancel flags of a job; the store knows the truth, these keys only make it visible sooner."""
STARTED_FIELD = "started"
"""Field of the progress hash: when the first shard began, in seconds since the epoch."""
LEARNT_FIELD = "learnt"
"""Field of the progress hash: how much of its style the generator has learnt, from 0 to 1."""


def queue_names(numerics: str) -> tuple[str, str]:
    """RQ queues of the workers of one kind: short jobs, which are taken first, and long ones."""
    return f"imagemill:{numerics}:short", f"imagemill:{numerics}:long"


def queue_parts(name: str) -> tuple[str, str] | None:
    """Take a queue's name apart, into numerics and length of the jobs; None when it is no queue of ours."""
    match = _QUEUE.fullmatch(name)
    return (match[1], match[2]) if match else None


def turns_key(name: str) -> str:
    """Hash of owner to the turn of their last task in a queue; it is there as long as somebody waits."""
    return f"{name}:turns"


def lease_key(queue_id: str) -> str:
    """Key that exists while a worker is at work on a task."""
    return f"imagemill:lease:{queue_id}"


def learning_key(lesson: str) -> str:
    """Key that exists while a worker lets a generator learn a style."""
    return f"imagemill:learning:{lesson}"


def progress_key(job_id: str) -> str:
    """Hash of shard number to images rendered so far."""
    return f"imagemill:progress:{job_id}"


def cancel_key(job_id: str) -> str:
    """Flag that tells workers to stop within one batch."""
    return f"imagemill:cancel:{job_id}"


def attempts_key(job_id: str) -> str:
    """Hash of RQ id to attempts that began and never ended, as their worker died."""
    return f"imagemill:attempts:{job_id}"


def worker_key(name: str) -> str:
    """Key of one live worker, holding its WorkerEntry JSON."""
    return WORKER_KEYS.replace("*", name)


def paused_key(name: str) -> str:
    """Key of one worker that takes no tasks, holding its PausedWorker JSON."""
    return PAUSED_KEYS.replace("*", name)


def set_aside_key(name: str) -> str:
    """Key of the files that a live worker has set aside, SetAsides JSON.

    It is a key of its own, as older versions refuse announcements with new fields.
    """
    return f"imagemill:set-aside:{name}"
