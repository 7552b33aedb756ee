"""Errors of the store. Each message is one line: the failed request, the cause, and advice where it is known."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import AlreadyExistsError, BaseError

_ANSWER = re.compile(r"status code: (\d{3}).*?<Code>(\w+)</Code>(?:\s*<Message>(.*?)</Message>)?", re.DOTALL)
"""An error response of S3, as obstore quotes it."""
_REQUEST = re.compile(r"Error performing (\w+) (\S+)")
_SYSTEM = re.compile(r'message: "([^"]+)"')
_TIMED_OUT = re.compile(r"kind: (?:Timeout|TimedOut)")
_DUMP = "\n\nDebug source:"
"""Separator in obstore's messages. The text after it is a dump of internal structures."""
_NOT_EXECUTED = ("400", "401", "403", "404")
"""Statuses which prove that the store has not executed the request."""
_RANGE_ERROR = "InvalidRange"
_MAX_CHARACTERS = 300
_CREDENTIALS_PATHS = ("/latest/api/token", "/latest/meta-data/")
_NO_CREDENTIALS = (
    "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or let this host reach its metadata service"
)
_ADVICE = {
    "NoSuchBucket": "create the bucket, or correct IMAGEMILL_STORE",
    "InvalidAccessKeyId": "correct AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "correct AWS_SECRET_ACCESS_KEY",
    "AccessDenied": "let these credentials get, put, delete and list objects",
    "RequestTimeTooSkewed": "set the clock of this host",
    "ExpiredToken": "renew the credentials",
}


class DamagedError(Exception):
    """An object in the store is missing or corrupted."""


class StoreError(Exception):
    """The store cannot be used now. `cause` is short, and contains no path, address or key.

    `advice` is equal to the cause if that says what to do, and None otherwise.
    """

    def __init__(self, message: str, cause: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.advice = advice


class TransientError(StoreError):
    """The store gave no response or an unexpected one, so it may or may not have executed the request."""


class RangeError(StoreError):
    """An object ends before the start of the requested range."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate obstore's errors to StoreError, except AlreadyExistsError and FileNotFoundError of an object."""
    try:
        yield
    except AlreadyExistsError:
        raise
    except BaseError as error:
        raise _translate(str(error)) from None
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):  # obstore raises the same error for a missing bucket and a missing object
            raise _translate(str(error)) from None
        raise


def cause_of(error: Exception) -> str:
    """Return the cause of an error of the store or of the operating system, without a path."""
    if isinstance(error, StoreError):
        return error.cause
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def with_advice(sentence: str, error: Exception) -> str:
    """Add the advice of a StoreError, if it has one, to a sentence."""
    advice = error.advice if isinstance(error, StoreError) else None
    return f"{sentence}: {advice}" if advice else sentence


def _translate(dump: str) -> StoreError:
    cause, request = _cause(dump), _REQUEST.search(dump)
    message = f"{request[1]} {request[2]}: {cause}" if request else _one_line(dump.partition(_DUMP)[0])
    has_advice = cause.endswith((_NO_CREDENTIALS, *_ADVICE.values()))
    return _error_class(dump)(message, cause, cause if has_advice else None)


def _error_class(dump: str) -> type[StoreError]:
    if _RANGE_ERROR in dump:
        return RangeError
    # 409 is not among the refusals: it is the answer to concurrent writes, of which one may have succeeded.
    answer = _ANSWER.search(dump)
    is_refusal = answer is not None and answer[1] in _NOT_EXECUTED
    return StoreError if is_refusal else TransientError


def _cause(dump: str) -> str:
    if answer := _ANSWER.search(dump):
        advice = _ADVICE.get(answer[2])
        return f"{answer[1]} {answer[2]}: {advice or _one_line(answer[3] or 'no message')}"
    if any(path in dump for path in _CREDENTIALS_PATHS):
        return _NO_CREDENTIALS
    if _TIMED_OUT.search(dump):
        return "no answer in time"
    if system := _SYSTEM.search(dump):
        return _one_line(system[1])
    return _one_line(dump.partition(_DUMP)[0])


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MAX_CHARACTERS]


class AncestorRemovedError(Exception):
    """The images that a new job would extend are being removed."""
