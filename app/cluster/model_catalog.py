"""The models that requests can choose, and the workers that render them."""

from collections import Counter
from http import HTTPStatus

from app.cluster.cluster_state import ClusterState
from app.errors import ApiError, echoed, listed, unavailable
from app.schemas import Model, SetAsideFile
from worker.contracts.catalog import CatalogEntry, WorkerEntry
from worker.contracts.jobs import JobSpec


class Models:
    """Lists and chooses models that workers have announced. Raises ApiError."""

    def __init__(self, live: ClusterState, preferred: str) -> None:
        self._live = live
        self._preferred = preferred

    def all(self) -> list[Model]:
        """Return the models that requests can choose."""
        entries, workers = self._live.models(), self._live.workers()
        default = self._default(entries)
        models = []
        for entry in entries.values():
            able = [worker for worker in workers if worker.has(entry)]
            speeds = [worker.images_per_s for worker in able if worker.images_per_s is not None]
            speed = round(sum(speeds), 1) if speeds else None
            models.append(Model(**dict(entry), default=entry.name == default, workers=len(able), images_per_s=speed))
        return models

    def set_aside(self) -> list[SetAsideFile]:
        """Return the checkpoints that live workers cannot use, with the reasons."""
        found = sorted(self._live.set_aside().items(), key=lambda item: (item[0].file, item[0].reason))
        return [SetAsideFile(**dict(file), workers=count) for file, count in found]

    def one(self, name: str) -> Model:
        """Return a model by name."""
        models = {model.name: model for model in self.all()}
        if not models:
            raise _no_models()
        if name not in models:
            raise ApiError(
                HTTPStatus.NOT_FOUND, "unknown_model", f"no model {echoed(name)}; there are {listed(models)}"
            )
        return models[name]

    def choose(
        self, name: str | None, unknown: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    ) -> tuple[CatalogEntry, list[WorkerEntry]]:
        """Return a model, by name or sha256, and the live workers of one numerics that render it.

        The numerics is the one that most of the workers with this model have. The list is empty while no worker is
        alive. `unknown` is the HTTP status of the error that is raised for an unknown model.
        """
        entries = self._live.models()
        if not entries:
            raise _no_models()
        by_sha256 = {entry.sha256: entry for entry in entries.values()}
        chosen = (by_sha256 | entries).get(name if name is not None else self._default(entries))
        if chosen is None:
            detail = f"model: must be one of {listed(entries)}, got {echoed(name)}"
            raise ApiError(unknown, "unknown_model", detail)
        workers = self._live.workers()
        able = [worker for worker in workers if worker.has(chosen)]
        if not workers:
            return chosen, []  # all workers may be restarting, so accept the job
        if not able:
            raise unavailable("no_worker", f"no live worker has the model {chosen.name} just now")
        kinds = Counter(worker.numerics for worker in sorted(able, key=lambda worker: worker.numerics.name))
        ((numerics, _),) = kinds.most_common(1)
        peers = [worker for worker in able if worker.numerics == numerics]
        return chosen.model_copy(update={"numerics": numerics}), peers

    def check_workers(self, spec: JobSpec) -> None:
        """Raise ApiError if no live worker can render the same bytes: same numerics, model and VGG19 weights."""
        workers = [worker for worker in self._live.workers() if worker.numerics == spec.model.numerics]
        able = [worker for worker in workers if worker.has(spec.model)]
        if not able:
            detail = f"no live worker has the model {spec.model.name} ({spec.model.sha256[:12]}) of this job just now"
            raise unavailable("no_worker", detail)
        if spec.style is not None and not any(worker.offers(spec.needs) for worker in able):
            detail = "the workers have other weights of VGG19 than those that this job was styled by"
            raise unavailable("no_style_transfer", detail)

    def _default(self, entries: dict[str, CatalogEntry]) -> str:
        return self._preferred if self._preferred in entries else next(iter(entries), "")


def weights_of(workers: list[WorkerEntry]) -> str:
    """Return the VGG19 weights that most of these workers have. Workers with other weights leave the job to them.

    Raises ApiError if no worker has any.
    """
    if not workers:
        raise unavailable("no_worker", "no worker is alive just now")
    found = Counter(sorted(worker.vgg19 for worker in workers if worker.vgg19 is not None))
    if not found:
        raise unavailable("no_style_transfer", "the workers have no weights of VGG19 (IMAGEMILL_VGG19)")
    ((weights, _),) = found.most_common(1)
    return weights


def _no_models() -> ApiError:
    return unavailable("no_worker", "no worker has announced a model yet")
