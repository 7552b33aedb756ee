"""Gives the methods of both clients the documentation of the operation that they run."""

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def documented_by(operation: Callable[..., Any], method: F) -> F:
    """Give a method the name, the docstring and the parameters of an operation, so that `help` shows them."""
    parameters = inspect.signature(operation).replace(return_annotation=inspect.Signature.empty)
    update_wrapper(method, operation)
    # Without this, `inspect` would follow __wrapped__ and show the operation's return type, a generator of steps.
    vars(method)["__signature__"] = parameters
    return method
