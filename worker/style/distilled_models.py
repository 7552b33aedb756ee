"""The distilled models of a worker: trained once, stored, and loaded when a job needs them."""

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
"""Largest number of distilled models that stay loaded."""

log = logging.getLogger(__name__)


class DistilledModels:
    """Loads distilled models from the store, and trains the missing ones."""

    def __init__(self, store: Store, studio: Stylizer, threads: Executor, most_bytes: int) -> None:
        self._store = store
        self._studio = studio
        self._threads = threads
        self._most_bytes = most_bytes
        self._loaded = lru_cache(_MODELS)(self._load)

    def model(self, model: LoadedModel, style: StyleSpec, owner: str) -> LoadedModel | None:
        """Return the distilled model of a style; None if its training is not finished."""
        try:
            return self._loaded(model, style, owner)
        except _NotLearntError:
            return None

    def learn(self, model: LoadedModel, style: StyleSpec, owner: str, goes_on: Callable[[float], bool]) -> None:
        """Resume the training of a distilled model from the store, then write its new state or weights there.

        Before each step, `goes_on` is called with the progress from 0 to 1; False pauses the training.
        Raises DivergedError.
        """
        lesson = style.lesson(model.entry, owner)
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
        # A state that does not fit is an old or a damaged one. Training starts from zero then: slower, same weights.
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
        weights = opened(self._store.distilled.weights(style.lesson(model.entry, owner)))
        if weights is None:
            raise _NotLearntError
        try:
            return restyled(model, weights)
        except torch.OutOfMemoryError:  # a RuntimeError, but says nothing about the weights
            raise
        except RuntimeError as error:
            log.warning("what was learnt is of no use style=%s reason=%s", style.id, error)
            raise _NotLearntError from error


class _NotLearntError(Exception):
    """There are no usable weights in the store. An exception, so that lru_cache does not remember the result."""
