"""The models that requests can choose, and the workers that render them."""

from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeVar

from app.cluster.cluster_state import ClusterState
from app.cluster.model_files import ModelFiles
from app.errors import ApiError, join_names, quote_value, unavailable, unprocessable
from app.schemas.models import Model, SetAsideFile
from worker.contracts.catalog import CatalogEntry, ModelFacts, Numerics, WorkerEntry
from worker.contracts.jobs import JobSpec

T = TypeVar("T")


class ModelCatalog:
    """Lists and chooses models that workers have announced. Raises ApiError."""

    def __init__(self, cluster: ClusterState, default_model: str, files: ModelFiles) -> None:
        self._cluster = cluster
        self._files = files
        self._default_model = default_model

    def list_models(self) -> list[Model]:
        """Return the models that requests can choose."""
        entries, workers = self._cluster.models(), self._cluster.workers()
        facts = self._cluster.all_facts()
        default = self._default_name(entries)
        models = []
        for entry in entries.values():
            capable = [worker for worker in workers if worker.has(entry)]
            speeds = [worker.images_per_s for worker in capable if worker.images_per_s is not None]
            speed = round(sum(speeds), 1) if speeds else None
            known = facts.get(entry.sha256) or ModelFacts(model_sha256=entry.sha256)
            models.append(
                Model(
                    **dict(entry),
                    default=entry.name == default,
                    workers=len(capable),
                    images_per_s=speed,
                    gate=known.gate,
                    training_images=_by_class(entry.classes, known.class_counts),
                    class_yields=_by_class(entry.classes, known.class_yields),
                    effects=known.effects,
                    judge=known.judge or None,
                    files=self._files.names(entry.sha256),
                    sliders=known.sliders,
                    slider_names=known.slider_names,
                )
            )
        return models

    def set_aside(self) -> list[SetAsideFile]:
        """Return the checkpoints that live workers cannot use, with the reasons."""
        found = sorted(self._cluster.set_aside().items(), key=lambda item: (item[0].file, item[0].reason))
        return [SetAsideFile(**dict(file), workers=count) for file, count in found]

    def find(self, name: str) -> Model:
        """Return a model by name."""
        models = {model.name: model for model in self.list_models()}
        if not models:
            raise _no_models()
        if name not in models:
            raise ApiError(
                HTTPStatus.NOT_FOUND, "unknown_model", f"no model {quote_value(name)}; there are {join_names(models)}"
            )
        return models[name]

    def choose(
        self, name: str | None, unknown_status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    ) -> tuple[CatalogEntry, list[WorkerEntry]]:
        """Return a model, by name or sha256, and the live workers of one numerics that render it.

        The numerics is the one that most of the workers with this model have. The list is empty while no worker is
        alive. `unknown_status` is the HTTP status of the error that is raised for an unknown model.
        """
        chosen = self.find_entry(name, unknown_status)
        workers = self._cluster.workers()
        capable = [worker for worker in workers if worker.has(chosen)]
        if not workers:
            return chosen, []  # all workers may be restarting, so accept the job
        if not capable:
            raise unavailable("no_worker", f"no live worker currently has the model {chosen.name}")
        # Sorted, so that all API processes choose the same numerics if two are equally common.
        kinds = Counter(worker.numerics for worker in sorted(capable, key=lambda worker: worker.numerics.name))
        ((numerics, _),) = kinds.most_common(1)
        peers = [worker for worker in capable if worker.numerics == numerics]
        return chosen.model_copy(update={"numerics": numerics}), peers

    def has_direct_worker(self, spec: JobSpec) -> bool:
        """Return whether a live worker answers direct requests for the model and the numerics of a job.

        A worker that cannot use the store answers them, too.
        """
        return any(
            worker.answers_directly and worker.numerics == spec.model.numerics and worker.has(spec.model)
            for find in (self._cluster.workers, self._cluster.paused)
            for worker in find()
        )

    def has_worker_for_points(self, model: CatalogEntry) -> bool:
        """Return whether a live worker draws points of a model in its numerics."""
        return any(
            worker.draws_points and worker.numerics == model.numerics and worker.has(model)
            for find in (self._cluster.workers, self._cluster.paused)
            for worker in find()
        )

    def find_by_sha256(self, sha256: str) -> CatalogEntry | None:
        """Return the model with these weights that requests can choose; None if there is none."""
        return next((entry for entry in self._cluster.models().values() if entry.sha256 == sha256), None)

    def numerics(self, model: CatalogEntry, name: str) -> Numerics | None:
        """Return the numerics of a name if a live worker with the model has them."""
        workers = (worker for worker in self._cluster.workers() if worker.has(model))
        return next((worker.numerics for worker in workers if worker.numerics.name == name), None)

    def find_entry(
        self, name: str | None, unknown_status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    ) -> CatalogEntry:
        """Return a model, by name or sha256, whether or not a worker has it now. Raises ApiError like `choose`."""
        entries = self._cluster.models()
        if not entries:
            raise _no_models()
        # If a name looks like the sha256 of another model, the name wins.
        by_sha256 = {entry.sha256: entry for entry in entries.values()}
        chosen = (by_sha256 | entries).get(name if name is not None else self._default_name(entries))
        if chosen is None:
            detail = f"model: must be one of {join_names(entries)}, got {quote_value(name)}"
            raise ApiError(unknown_status, "unknown_model", detail)
        return chosen

    def facts(self, model: CatalogEntry) -> ModelFacts | None:
        """Return the facts that a worker has announced about a model."""
        return self._cluster.facts(model.sha256)

    def check_workers(self, spec: JobSpec) -> None:
        """Raise ApiError if no live worker can render the same bytes: same numerics, model and other files."""
        workers = [worker for worker in self._cluster.workers() if worker.numerics == spec.model.numerics]
        capable = [worker for worker in workers if worker.has(spec.model)]
        if not capable:
            detail = f"no live worker currently has the model of this job, {spec.model.name} ({spec.model.sha256[:12]})"
            raise unavailable("no_worker", detail)
        check_version(capable, spec.least_worker_version)
        facts, sliders = self.facts(spec.model), spec.placement.sliders if spec.placement else None
        if sliders is not None and (facts is None or facts.sliders != sliders):
            raise unavailable("no_sliders", f"no live worker has the sliders of this job ({sliders[:8]})")
        gate = spec.selection.gate if spec.selection else None
        if gate is not None and not any(gate in worker.gates for worker in capable):
            raise unavailable("no_gate", f"no live worker has the quality gate of this job ({gate[:12]})")
        if spec.style is not None and not any(worker.offers(spec.needs) for worker in capable):
            detail = "no live worker has the VGG19 weights that this job was styled with"
            raise unavailable("no_style_transfer", detail)

    def _default_name(self, entries: dict[str, CatalogEntry]) -> str:
        return self._default_model if self._default_model in entries else next(iter(entries), "")


def most_common_vgg19(workers: list[WorkerEntry]) -> str:
    """Return the VGG19 weights that most of these workers have. Workers with other weights leave the job to them.

    Raises ApiError if no worker has any.
    """
    if not workers:
        raise unavailable("no_worker", "currently no worker is alive")
    # Sorted, so that all API processes choose the same weights if two are equally common.
    found = Counter(sorted(worker.vgg19 for worker in workers if worker.vgg19 is not None))
    if not found:
        raise unavailable("no_style_transfer", "the workers have no VGG19 weights; set IMAGEMILL_VGG19")
    ((weights, _),) = found.most_common(1)
    return weights


def check_version(workers: list[WorkerEntry], least: int) -> None:
    """Raise ApiError if there are workers, but all of them are of an older release, which cannot read a job.

    They would drop its tasks, and pause.
    """
    if workers and max(worker.archive_version for worker in workers) < least:
        detail = "all live workers are of an older release, which cannot render this request; update the workers first"
        raise unavailable("no_worker", detail)


def _by_class(classes: tuple[str, ...], row: Sequence[T]) -> dict[str, T] | None:
    """Return the values of a row by class; None if the row has no value for each class."""
    return dict(zip(classes, row, strict=True)) if classes and len(row) == len(classes) else None


def chosen_gate(model: CatalogEntry, facts: ModelFacts | None, workers: list[WorkerEntry]) -> str:
    """Return the checksum of a model's quality gate. Raises ApiError if the model or its workers have none."""
    if facts is None or facts.gate is None:
        detail = f"keep, copies: {model.name} has no quality gate; leave keep out, and copies=drop"
        raise unprocessable("no_gate", f"{detail}, or choose a model that has one in /models")
    if workers and not any(facts.gate in worker.gates for worker in workers):
        raise unavailable("no_gate", f"no live worker currently has the quality gate of {model.name}")
    return facts.gate


def _no_models() -> ApiError:
    return unavailable("no_worker", "no worker has announced a model yet")
