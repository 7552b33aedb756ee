"""Tensors and a JSON header in one safetensors file, written atomically. Nothing is ever unpickled."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from models import atomic_file
from models.errors import CheckpointError

H = TypeVar("H", bound=BaseModel)


def write(path: Path, key: str, header: BaseModel, tensors: Mapping[str, Tensor]) -> None:
    """Write a file atomically: a reader sees the old file or the new one."""
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # Serialised in memory first: on a full disk, the library's own writer raises no OSError and names no file.
    atomic_file.write(path, save(on_cpu, metadata={key: header.model_dump_json()}))


def read_header(path: Path, key: str, header_type: type[H], version: int) -> H:
    """Read the header only. Raises CheckpointError if it is missing or has another version."""
    with _open(path) as file:
        return _parse_header(path, file.metadata() or {}, key, header_type, version)


def read(path: Path, key: str, header_type: type[H], version: int) -> tuple[H, dict[str, Tensor]]:
    """Read the header and the tensors. Raises CheckpointError like `read_header`."""
    with _open(path) as file:
        return _parse_header(path, file.metadata() or {}, key, header_type, version), {
            name: file.get_tensor(name) for name in list(file.keys())
        }


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    try:
        path.open("rb").close()  # safe_open reports "no such file" for every error, e.g. missing permissions
        with safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as error:
        raise CheckpointError(f"{path}: not a safetensors file ({error})") from error
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or error}") from error


def _parse_header(path: Path, metadata: Mapping[str, str], key: str, header_type: type[H], version: int) -> H:
    text = metadata.get(key)
    if text is None:
        raise CheckpointError(f"{path}: a safetensors file without the header {key!r}")
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path}: the header is not JSON ({error})") from error
    found = raw.get("format_version") if isinstance(raw, dict) else None
    if found != version:
        raise CheckpointError(f"{path}: format version {found!r}, this Imagemill reads version {version}")
    try:
        return header_type.model_validate_json(text)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc'])) or 'header'}: {e['msg']}" for e in error.errors()]
        raise CheckpointError(f"{path}: bad header: {'; '.join(faults)}") from error
