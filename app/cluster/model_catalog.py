"""The models that can be asked for, and the workers that render them."""

from collections import Counter
from http import HTTPStatus

from app.cluster.cluster_state import ClusterState
from app.errors import ApiError, join_names, quote_value, unavailable
from app.schemas import Model, SetAsideFile
from worker.contracts.catalog import CatalogEntry, WorkerEntry
from worker.contracts.jobs import JobSpec


class Models:
    """What the live workers have announced; raises ApiError."""

    def __init__(self, live: ClusterState, preferred: str) -> None:
        self._live = live
        self._preferred = preferred

    def all(self) -> list[Model]:
        """List the models that can be asked for."""
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
        """List the files that live workers cannot use, and why."""
        found = sorted(self._live.set_aside().items(), key=lambda item: (item[0].file, item[0].reason))
        return [SetAsideFile(**dict(file), workers=count) for file, count in found]

    def one(self, name: str) -> Model:
        """Tell about one model."""
        models = {model.name: model for model in self.all()}
        if not models:
            raise _no_models()
        if name not in models:
            raise ApiError(
                HTTPStatus.NOT_FOUND, "unknown_model", f"no model {quote_value(name)}; there are {join_names(models)}"
            )
        return models[name]

    def choose(
        self, name: str | None, unknown: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    ) -> tuple[CatalogEntry, list[WorkerEntry]]:
        """Choose a model, and the live workers of one kind that render it: the kind of which there are most."""
        entries = self._live.models()
        if not entries:
            raise _no_models()
        by_sha256 = {entry.sha256: entry for entry in entries.values()}
        chosen = (by_sha256 | entries).get(name if name is not None else self._default(entries))
        if chosen is None:
            detail = f"model: must be one of {join_names(entries)}, got {quote_value(name)}"
            raise ApiError(unknown, "unknown_model", detail)
        workers = self._live.workers()
        able = [worker for worker in workers if worker.has(chosen)]
        if not workers:
            return chosen, []  # all of them are just being started again, say
        if not able:
            raise unavailable("no_worker", f"no live worker has the model {chosen.name} just now")
        kinds = Counter(worker.numerics for worker in sorted(able, key=lambda worker: worker.numerics.name))
        ((numerics, _),) = kinds.most_common(1)
        peers = [worker for worker in able if worker.numerics == numerics]
        return chosen.model_copy(update={"numerics": numerics}), peers

    def check_workers(self, spec: JobSpec) -> None:
        """Raise when no live worker renders what this job was rendered with, to the bit, or styles if it has to."""
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
    """Tell the weights of VGG19 that most of some workers style by; those that have others leave the job to them.

    Raises ApiError when none has any.
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
