"""Names and lifetimes of the keys in Redis."""

import re

MODELS_KEY = "imagemill:models"
"""Hash of model name to CatalogEntry JSON. It outlives the workers."""
MODEL_FACTS_KEY = "imagemill:model-facts"
"""Hash of model sha256 to ModelFacts JSON. Older versions refuse announcements of models with new fields."""
SEEN_KEY = "imagemill:seen"
"""Hash of numerics name to the time when a worker with it was last seen, in seconds since the epoch."""
WORKER_KEYS = "imagemill:worker:*"
PAUSED_KEYS = "imagemill:paused:*"
"""Pattern of the keys of live workers that take no tasks."""
WORKER_TTL_SECONDS = 30
LEASE_TTL_SECONDS = 15
"""Lifetime of a lease. Every report of progress renews it: a few times a second while images are rendered."""
_QUEUE = re.compile(r"imagemill:([a-z0-9-]+):(short|long)")
COSTS_TTL_SECONDS = 3600
"""Longer than the time of a shard. Keys of dead workers are ignored."""
SET_ASIDE_TTL_SECONDS = 3600
"""Longer than the time of a shard. Keys of dead workers are ignored."""
LIVE_TTL_SECONDS = 7 * 24 * 3600
"""Lifetime of a job's progress and cancel flag. They only make visible sooner what the store has."""
STARTED_FIELD = "started"
"""Field of the progress hash: start of the first shard in seconds since the epoch."""
DISTILLED_FIELD = "learnt"
"""Field of the progress hash: share of the distillation that is done, from 0 to 1."""


def queue_names(numerics: str) -> tuple[str, str]:
    """Return the names of the two RQ queues of a numerics: short jobs, which are served first, and long jobs."""
    return f"imagemill:{numerics}:short", f"imagemill:{numerics}:long"


def queue_parts(name: str) -> tuple[str, str] | None:
    """Split a queue's name into the numerics and `short` or `long`. Returns None for other queues."""
    match = _QUEUE.fullmatch(name)
    return (match[1], match[2]) if match else None


def start_tags_key(name: str) -> str:
    """Return the key of the hash of owner to the start tag of their last task in a queue.

    The hash exists while tasks wait in the queue. `task_queue` explains start tags.
    """
    return f"{name}:turns"


def lease_key(queue_id: str) -> str:
    """Return the key that exists while a worker works on a task."""
    return f"imagemill:lease:{queue_id}"


def distillation_lease_key(key: str) -> str:
    """Return the key that exists while a worker distils a model."""
    return f"imagemill:learning:{key}"


def progress_key(job_id: str) -> str:
    """Return the key of a job's progress: a hash of shard number to images rendered so far."""
    return f"imagemill:progress:{job_id}"


def cancel_key(job_id: str) -> str:
    """Return the key of a job's cancel flag. Workers that see it stop within one batch."""
    return f"imagemill:cancel:{job_id}"


def attempts_key(job_id: str) -> str:
    """Return the key of a hash of RQ id to attempts that began and have not ended, because their worker died."""
    return f"imagemill:attempts:{job_id}"


def worker_key(name: str) -> str:
    """Return the key of one live worker, which holds its WorkerEntry JSON."""
    return WORKER_KEYS.replace("*", name)


def paused_key(name: str) -> str:
    """Return the key of one worker that takes no tasks, which holds its PausedWorker JSON."""
    return PAUSED_KEYS.replace("*", name)


def set_aside_key(name: str) -> str:
    """Return the key of the files that a live worker has set aside, SetAsides JSON.

    It is a separate key, because older versions refuse announcements with new fields.
    """
    return f"imagemill:set-aside:{name}"


def session_key(token_digest: str) -> str:
    """Return the key of a browser's session, which holds the hash of its API key. It expires with the session."""
    return f"imagemill:session:{token_digest}"


def direct_list_key(numerics: str, model_sha256: str) -> str:
    """Return the key of the list of the ids of direct requests that wait for a worker with a numerics and a model."""
    return f"imagemill:direct:{numerics}:{model_sha256}"


def direct_request_key(request_id: str) -> str:
    """Return the key of one direct request, DirectRequest JSON. It expires at the deadline of the request."""
    return f"imagemill:direct-request:{request_id}"


def direct_replies_key(process_id: str) -> str:
    """Return the key of the list of replies to the direct requests of one API process."""
    return f"imagemill:direct-replies:{process_id}"


def costs_key(name: str) -> str:
    """Return the key of the measured costs of a live worker, WorkerCosts JSON."""
    return f"imagemill:costs:{name}"
