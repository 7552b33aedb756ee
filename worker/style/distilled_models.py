"""The distilled models of a worker: trained once, stored, and loaded when a job needs them."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from functools import lru_cache

import torch

from worker.contracts.logs import fields
from worker.contracts.store.store import Store
from worker.contracts.styles import StyleSpec
from worker.rendering.loaded_model import LoadedModel
from worker.style.distillation import Distillation, with_weights
from worker.style.portions import OnHalved
from worker.style.stylizer import Stylizer
from worker.style.tensor_bytes import deserialise, serialise

_MAX_LOADED = 8
"""Largest number of distilled models that stay loaded."""

log = logging.getLogger(__name__)


class DistilledModels:
    """Loads distilled models from the store, and trains the missing ones."""

    def __init__(
        self,
        store: Store,
        stylizer: Stylizer,
        executor: Executor,
        max_bytes: int,
        on_halved: OnHalved = lambda: None,
    ) -> None:
        self._store = store
        self._stylizer = stylizer
        self._executor = executor
        self._max_bytes = max_bytes
        self._on_halved = on_halved
        self._loaded = lru_cache(_MAX_LOADED)(self._load)

    def model(self, model: LoadedModel, style: StyleSpec, owner: str) -> LoadedModel | None:
        """Return the distilled model of a style; None if its training is not finished."""
        try:
            return self._loaded(model, style, owner)
        except _NotTrainedError:
            return None

    def train(self, model: LoadedModel, style: StyleSpec, owner: str, may_continue: Callable[[float], bool]) -> None:
        """Resume the training of a distilled model from the store, then write its new state or weights there.

        Before each step, `may_continue` is called with the progress from 0 to 1; False pauses the training.
        Raises DivergedError.
        """
        model_name = style.distilled_model_key(model.entry, owner)
        training = self._start_or_resume(model, style, model_name)
        try:
            while training.progress < 1 and may_continue(training.progress):
                training.step()
        finally:
            training.forget_recording()
        # A training that was paused before its first step has no new state.
        if 0 < training.progress < 1:
            self._store.distilled.keep_state(model_name, serialise(training.state()), self._max_bytes)
        elif training.progress == 1:
            self._store.distilled.keep_weights(model_name, serialise(training.generator.state_dict()), self._max_bytes)
            log.info("style was learnt", extra=fields(model=model.entry.name, style=style.id, steps=style.steps))

    def _start_or_resume(self, model: LoadedModel, style: StyleSpec, model_name: str) -> Distillation:
        def start() -> Distillation:
            transfer = self._stylizer.transfer(style)
            return Distillation(model, transfer, style.strength, style.steps, self._executor, self._on_halved)

        training = start()
        # A state that does not fit is an old or a damaged one. Training starts from zero then: slower, same weights.
        state = deserialise(self._store.distilled.state(model_name))
        if state is None:
            return training
        try:
            training.resume(state)
        except (LookupError, RuntimeError, ValueError) as error:
            log.warning(
                "training starts again, since the stored state does not fit the model",
                extra=fields(key=model_name, reason=error),
            )
            return start()
        return training

    def _load(self, model: LoadedModel, style: StyleSpec, owner: str) -> LoadedModel:
        weights = deserialise(self._store.distilled.weights(style.distilled_model_key(model.entry, owner)))
        if weights is None:
            raise _NotTrainedError
        try:
            return with_weights(model, weights)
        except torch.OutOfMemoryError:  # a RuntimeError, but says nothing about the weights
            raise
        except RuntimeError as error:
            log.warning("stored weights of a distilled model do not fit", extra=fields(style=style.id, reason=error))
            raise _NotTrainedError from error


class _NotTrainedError(Exception):
    """There are no usable weights in the store. An exception, so that lru_cache does not remember the result."""
