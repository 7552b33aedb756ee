"""The measurements and the limits of the model, as tables in Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import table
from benchmarks.scaling import saturation
from benchmarks.scaling.commits import Commits
from benchmarks.scaling.downloads import Downloads
from benchmarks.scaling.handovers import Handovers
from benchmarks.scaling.posts import Posts
from benchmarks.scaling.saturation import Capacities, Layer, capacity
from benchmarks.scaling.simulated import NUMERICS

_GPUS = (1, 2, 4, 8, 16, 32, 64)
_MS, _US, _MB = 1e3, 1e6, 1e6


@dataclass(frozen=True)
class Report:
    """All measurements of one run. The last ones of `commits` have a GPU that takes no time."""

    gpu_images_per_s: float
    commits: Sequence[Commits]
    posts: Sequence[Posts]
    handovers: Sequence[Handovers]
    downloads: Sequence[Downloads]

    def markdown(self) -> str:
        """Return all tables."""
        measured = (self._commits(), self._posts(), self._handovers(), self._downloads())
        return "\n\n".join((*measured, self._capacities(), self._limits()))

    def capacities(self) -> Capacities:
        """Take the best figure of each layer, because the model gives each layer a core of its own."""
        free = next(found for found in self.commits if found.gpu_images_per_s is None)
        images, seconds = sum(found.images for found in self.commits), sum(found.seconds for found in self.commits)
        queue_cpu_s = sum(found.cpu_s["queue"] for found in self.commits)
        return Capacities(
            worker_images=capacity(free.images, free.seconds, free.cpu_s["workers"]) / free.workers,
            worker_jobs=max(post.jobs / post.cpu_s["workers"] for post in self.posts),
            store_images=max(found.settled_per_s for found in self.commits),
            queue_images=capacity(images, seconds, queue_cpu_s),
            queue_jobs=max(capacity(post.jobs, post.ended_seconds, post.cpu_s["queue"]) for post in self.posts),
            api_jobs=max(capacity(post.jobs, post.posted_seconds, post.cpu_s["api"]) for post in self.posts),
            api_images=max(capacity(sent.images, sent.seconds, sent.api_cpu_s) for sent in self.downloads),
            images_per_batch=NUMERICS.batch_size,
        )

    def _commits(self) -> str:
        rates = ("one GPU, images/s", "committed images/s", "on the disk images/s", "committed MB/s")
        head = ("workers", *rates, "CPU us per image: workers", "API", "queue")
        return table.markdown(head, map(_commits_row, self.commits))

    def _posts(self) -> str:
        rates = ("accepted jobs/s", "ended jobs/s", "on the disk jobs/s")
        head = ("posters", *rates, "CPU ms per job: API", "workers", "queue")
        return table.markdown(head, map(_posts_row, self.posts))

    def _handovers(self) -> str:
        head = ("workers", "queued tasks/s", "taken tasks/s", "CPU us per task: queue")
        return table.markdown(head, map(_handovers_row, self.handovers))

    def _downloads(self) -> str:
        head = ("clients", "MB/s", "images/s", "CPU us per image: API")
        return table.markdown(head, map(_downloads_row, self.downloads))

    def _capacities(self) -> str:
        long, short = self._layers(1)
        rows = [("long jobs", layer.name, f"{layer.per_s:.0f} images/s") for layer in long]
        rows += [("jobs of one image", layer.name, f"{layer.per_s:.0f} jobs/s") for layer in short]
        return table.markdown(("with one GPU", "layer", "limit"), rows)

    def _limits(self) -> str:
        head = ("GPUs", "images/s of long jobs", "limited by", "jobs/s of one image", "limited by")
        return table.markdown(head, map(self._limits_row, _GPUS))

    def _limits_row(self, gpus: int) -> tuple[str, ...]:
        long, short = map(saturation.narrowest, self._layers(gpus))
        return (f"{gpus}", f"{long.per_s:.0f}", long.name, f"{short.per_s:.0f}", short.name)

    def _layers(self, gpus: int) -> tuple[list[Layer], list[Layer]]:
        found = self.capacities()
        long = saturation.of_long_jobs(found, gpus, self.gpu_images_per_s)
        return long, saturation.of_single_images(found, gpus, self.gpu_images_per_s)


def _commits_row(found: Commits) -> tuple[str, ...]:
    pace = f"{found.gpu_images_per_s:.0f}" if found.gpu_images_per_s else "no time"
    cpu_us = (f"{found.cpu_s[part] / found.images * _US:.1f}" for part in ("workers", "api", "queue"))
    rates = (found.images_per_s, found.settled_per_s, found.size / found.seconds / _MB)
    return (f"{found.workers}", pace, *(f"{rate:.0f}" for rate in rates), *cpu_us)


def _posts_row(found: Posts) -> tuple[str, ...]:
    rates = (f"{rate:.0f}" for rate in (found.accepted_per_s, found.ended_per_s, found.settled_per_s))
    cpu_ms = (f"{found.cpu_s[part] / found.jobs * _MS:.2f}" for part in ("api", "workers", "queue"))
    return (f"{found.posters}", *rates, *cpu_ms)


def _handovers_row(found: Handovers) -> tuple[str, ...]:
    cpu_us = f"{found.queue_cpu_s / found.tasks * _US:.0f}"
    return (f"{found.workers}", f"{found.enqueued_per_s:.0f}", f"{found.taken_per_s:.0f}", cpu_us)


def _downloads_row(found: Downloads) -> tuple[str, ...]:
    rate, cpu_us = f"{found.size / found.seconds / _MB:.0f}", f"{found.api_cpu_s / found.images * _US:.1f}"
    return (f"{found.clients}", rate, f"{found.images_per_s:.0f}", cpu_us)
