"""Where generators learn styles, and where what they have learnt is kept: each lesson is learnt once."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from functools import lru_cache

import torch

from worker.contracts.store.store import Store
from worker.contracts.styles import StyleSpec
from worker.rendering.engine import LoadedModel
from worker.style.distillation import Distillation, opened, restyled, sealed
from worker.style.stylizer import Stylizer

_MODELS = 8
"""That are kept loaded."""

log = logging.getLogger(__name__)


class DistilledModels:
    """Finds a model that has learnt a style, or lets it learn."""

    def __init__(self, store: Store, studio: Stylizer, threads: Executor, most_bytes: int) -> None:
        self._store = store
        self._studio = studio
        self._threads = threads
        self._most_bytes = most_bytes
        self._loaded = lru_cache(_MODELS)(self._load)

    def model(self, model: LoadedModel, style: StyleSpec, owner: str) -> LoadedModel | None:
        """Find the model that makes images in a style; None while it has not learnt it."""
        try:
            return self._loaded(model, style, owner)
        except _NotLearntError:
            return None

    def learn(self, model: LoadedModel, style: StyleSpec, owner: str, goes_on: Callable[[float], bool]) -> None:
        """Learn from where somebody stopped, until all is learnt or `goes_on`, told the share, says no.

        What was learnt is in the store then. Raises DivergedError.
        """
        lesson = style.distilled_model_key(model.entry, owner)
        student = self._student(model, style, lesson)
        while student.share < 1 and goes_on(student.share):
            student.step()
        if 0 < student.share < 1:
            self._store.distilled.keep_state(lesson, sealed(student.state()), self._most_bytes)
        elif student.share == 1:
            self._store.distilled.keep_weights(lesson, sealed(student.generator.state_dict()), self._most_bytes)
            log.info("style was learnt model=%s style=%s steps=%d", model.entry.name, style.id, style.steps)

    def _student(self, model: LoadedModel, style: StyleSpec, lesson: str) -> Distillation:
        def new() -> Distillation:
            transfer = self._studio.transfer(style)
            return Distillation(model, transfer, style.strength, style.steps, self._threads, self._studio.halved)

        student = new()
        state = opened(self._store.distilled.state(lesson))
        if state is None:
            return student
        try:
            student.resume(state)
        except (LookupError, RuntimeError, ValueError) as error:
            log.warning("learning begins anew, as its state is another's lesson=%s reason=%s", lesson, error)
            return new()
        return student

    def _load(self, model: LoadedModel, style: StyleSpec, owner: str) -> LoadedModel:
        weights = opened(self._store.distilled.weights(style.distilled_model_key(model.entry, owner)))
        if weights is None:
            raise _NotLearntError
        try:
            return restyled(model, weights)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            log.warning("what was learnt is of no use style=%s reason=%s", style.id, error)
            raise _NotLearntError from error


class _NotLearntError(Exception):
    """There is nothing to load, and nothing that a cache should keep."""
