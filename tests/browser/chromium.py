"""Finds the browser that the tests drive. A machine without one skips them, unless the setting requires it."""

import os
import shutil

import pytest

_BROWSER = "IMAGEMILL_BROWSER"
_PROGRAM = "IMAGEMILL_CHROMIUM"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium_program() -> str:
    """Return the path of Chromium. Without one the test is skipped, or fails if IMAGEMILL_BROWSER is "required"."""
    names = [os.environ[_PROGRAM]] if os.environ.get(_PROGRAM) else _NAMES
    found = next(filter(None, map(shutil.which, names)), None)
    if found is not None:
        return found
    reason = f"there is no {' or '.join(names)}; install Chromium, or let {_PROGRAM} name it"
    if os.environ.get(_BROWSER) == "required":
        pytest.fail(f"{_BROWSER} is required, but {reason}")
    pytest.skip(f"THE PAGE WAS NOT TESTED: {reason}")
