"""A small model of the service: which of its layers is the first at its limit, with so many GPUs of such a speed."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Capacities:
    """What each layer was found to do in a second."""

    worker_images: float
    """One worker beside its GPU, of a long job: hash, lay out, hand to the store."""
    worker_jobs: float
    """One worker beside its GPU, of jobs of one image."""
    store_images: float
    """Of all workers, forced to its disk."""
    queue_images: float
    queue_jobs: float
    api_jobs: float
    """Accepted by one process."""
    api_images: float
    """Sent by one process."""
    images_per_batch: int
    """Which a GPU renders for a job of one image."""


@dataclass(frozen=True)
class Layer:
    """A part of the service, and the images/s or jobs/s that it can do."""

    name: str
    per_s: float


def capacity(count: float, seconds: float, cpu_seconds: float) -> float:
    """Tell what a layer does in a second on a core of its own: what it did here, or more where others had its core."""
    return count / min(seconds, cpu_seconds) if cpu_seconds else count / seconds


def of_long_jobs(found: Capacities, gpus: int, gpu_images_per_s: float) -> list[Layer]:
    """List what the images of long jobs pass through, in images/s."""
    return [
        Layer("GPUs", gpus * gpu_images_per_s),
        Layer("workers beside their GPUs", gpus * found.worker_images),
        Layer("queue server", found.queue_images),
        Layer("store", found.store_images),
        Layer("downloads from one API process", found.api_images),
    ]


def of_single_images(found: Capacities, gpus: int, gpu_images_per_s: float) -> list[Layer]:
    """List what jobs of one image pass through, in jobs/s; each has a batch of its own rendered."""
    return [
        Layer("GPUs", gpus * gpu_images_per_s / found.images_per_batch),
        Layer("workers beside their GPUs", gpus * found.worker_jobs),
        Layer("queue server", found.queue_jobs),
        Layer("requests to one API process", found.api_jobs),
    ]


def narrowest(layers: Iterable[Layer]) -> Layer:
    """Find the layer that is first at its limit."""
    return min(layers, key=lambda layer: layer.per_s)
