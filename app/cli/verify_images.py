"""Verifies images with a running service, for `imagemill verify`."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urljoin

from app.cli.signals import ended_by_signals
from app.cli.terminal import Terminal, print_json
from app.client import Client, ClientError, RefusedError, Verification

_REFUSED_FILES = {413, 415, 422}
"""The HTTP statuses of a refused file: too large, not an image, or damaged. Other files may be verified."""


def verify_images(files: Sequence[Path], server: str, key: str | None, *, is_json: bool) -> bool:
    """Print a line about each image. Returns whether the service made all of them.

    An error about a file that is refused goes to standard error; the others are verified.
    """
    terminal = Terminal(has_result=not is_json)
    is_genuine = True
    with ended_by_signals(ClientError, is_normal=False), Client(server, key, notify=terminal.note) as client:
        for path in files:
            try:
                found = client.verify(path)
            except RefusedError as error:
                if error.status not in _REFUSED_FILES:
                    raise
                terminal.note(f"Error: {path}: {_reason(path, error)}")
                is_genuine = False
                continue
            is_genuine &= found.made_here is True
            if is_json:
                print_json({"file": str(path), **found.model_dump(mode="json", exclude_unset=True)})
            else:
                terminal.result.print(_line(path, found, server), markup=False, highlight=False)
    return is_genuine


def _reason(path: Path, error: RefusedError) -> str:
    reason = str(error).removeprefix("file: ")
    is_dataset = path.suffix in {".zip", ".tar", ".npz"}
    return f"{reason}; to verify a dataset, add --manifest and --public-key" if is_dataset else reason


def _line(path: Path, found: Verification, server: str) -> str:
    url = (found.address or {}).get("url")
    return f"{path}: {found.verdict}. {found.summary}{f' {urljoin(server, url)}' if url else ''}"
