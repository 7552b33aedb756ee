"""A small model of the service: finds the layer that limits a number of GPUs of a given speed."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Capacities:
    """The measured capacity of each layer, per second."""

    worker_images: float
    """Images of a long job that one worker hashes, lays out and stores beside its GPU."""
    worker_jobs: float
    """Jobs of one image that one worker handles beside its GPU."""
    store_images: float
    """Images of all workers that are forced to the disk."""
    queue_images: float
    queue_jobs: float
    api_jobs: float
    """Jobs that one API process accepts."""
    api_images: float
    """Images that one API process sends."""
    images_per_batch: int
    """Images that a GPU renders for a job of one image: a whole batch."""


@dataclass(frozen=True)
class Layer:
    """A part of the service, and its capacity in images/s or jobs/s."""

    name: str
    per_s: float


def capacity(count: float, seconds: float, cpu_seconds: float) -> float:
    """Return the capacity of a layer with its own core: its measured speed, or its speed per CPU second if higher."""
    return count / min(seconds, cpu_seconds) if cpu_seconds else count / seconds


def of_long_jobs(found: Capacities, gpus: int, gpu_images_per_s: float) -> list[Layer]:
    """List the layers of long jobs, in images/s."""
    return [
        Layer("GPUs", gpus * gpu_images_per_s),
        Layer("workers beside their GPUs", gpus * found.worker_images),
        Layer("queue server", found.queue_images),
        Layer("store", found.store_images),
        Layer("downloads from one API process", found.api_images),
    ]


def of_single_images(found: Capacities, gpus: int, gpu_images_per_s: float) -> list[Layer]:
    """List the layers of jobs of one image, in jobs/s. Each job renders a whole batch."""
    return [
        Layer("GPUs", gpus * gpu_images_per_s / found.images_per_batch),
        Layer("workers beside their GPUs", gpus * found.worker_jobs),
        Layer("queue server", found.queue_jobs),
        Layer("requests to one API process", found.api_jobs),
    ]


def narrowest(layers: Iterable[Layer]) -> Layer:
    """Return the layer with the smallest capacity."""
    return min(layers, key=lambda layer: layer.per_s)
