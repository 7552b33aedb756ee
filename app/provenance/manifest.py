"""The manifest of a dataset: its content and its origin, as a small JSON file that can be signed."""

import hashlib
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from worker.contracts.catalog import Sha256
from worker.contracts.formats import ArchiveVersion, Format, Marking
from worker.contracts.styles import StyleSpec


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArchiveFile(_Part):
    """The archive."""

    name: str
    """File name of the download. A renamed file is still the same archive."""
    size: int
    """Length in bytes."""
    sha256: Sha256
    version: ArchiveVersion
    """Version of the archive's bytes."""


class Images(_Part):
    """The images in the archive."""

    count: int
    format: Format
    mark: Marking
    digital_source_type: str
    """IPTC's term for the origin of the images."""
    seed: int
    first_index: int
    next_index: int
    """Index after the last image."""
    classes: dict[str, int]
    """Number of images of each class; empty if the model has none."""
    style: StyleSpec | None
    list_sha256: Sha256
    """SHA-256 over one line for each image, in the order of their indices: the file's SHA-256 and a line feed.

    So the images can be verified after the archive was unpacked. For npz, the pixels of each image count as its file.
    """


class SourceModel(_Part):
    """The model that made the images."""

    name: str
    sha256: Sha256
    numerics: str
    gate: Sha256 | None
    """Checksum of the quality gate that selected the images; None without one."""


class Software(_Part):
    """The program that wrote the manifest."""

    name: str
    version: str


class Manifest(_Part):
    """The manifest of a dataset. The same job and the same program always give the same bytes."""

    format: Literal["imagemill-manifest-1"] = "imagemill-manifest-1"
    archive: ArchiveFile
    images: Images
    model: SourceModel
    software: Software
    key_sha256: Sha256
    """SHA-256 of the public key that verifies the signature, in the DER form of SubjectPublicKeyInfo."""

    def to_bytes(self) -> bytes:
        """Return the file, whose bytes are signed."""
        return f"{self.model_dump_json(indent=2)}\n".encode()


def list_sha256(sha256s: Iterable[str]) -> str:
    """Return the SHA-256 over the lines of the images' SHA-256s."""
    digest = hashlib.sha256()
    for each in sha256s:
        digest.update(f"{each}\n".encode())
    return digest.hexdigest()
