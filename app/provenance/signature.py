"""Ed25519 signatures (RFC 8032). The package `cryptography` is imported when a key is loaded."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from worker.contracts.errors import SettingsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNATURE_BYTES = 64


class KeyFileError(SettingsError):
    """The file of a key cannot be used."""


class SigningKey:
    """The private key of an operator."""

    def __init__(self, key: "Ed25519PrivateKey") -> None:
        self._key = key
        self.sha256 = fingerprint(key.public_key())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Load a key in PEM. Raises KeyFileError."""
        _require_cryptography("IMAGEMILL_SIGNING_KEY")
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        data = _read(path, "IMAGEMILL_SIGNING_KEY")
        try:
            key = load_pem_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: the key has a password
            raise _unusable(path) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _unusable(path)
        return cls(key)

    def sign(self, data: bytes) -> bytes:
        """Return the signature of some bytes: 64 bytes, always the same."""
        return self._key.sign(data)


def load_signing_key(path: Path | None) -> SigningKey | None:
    """Load the key of the setting `signing_key`; None if it is not set. Raises KeyFileError."""
    return None if path is None else SigningKey.load(path)


def load_public_key(path: Path) -> "Ed25519PublicKey":
    """Load a public key in PEM. Raises KeyFileError."""
    _require_cryptography("--public-key")
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_read(path, "--public-key"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _not_public(path) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _not_public(path)
    return key


def is_signed(data: bytes, signature: bytes, key: "Ed25519PublicKey") -> bool:
    """Return whether a signature of some bytes is valid."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def fingerprint(key: "Ed25519PublicKey") -> str:
    """Return the SHA-256 of a public key in the DER form of SubjectPublicKeyInfo."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _require_cryptography(name: str) -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        detail = (
            f"{name} needs the package cryptography; in the folder of Imagemill: .uv/bin/uv pip install cryptography"
        )
        raise KeyFileError(detail) from error


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{name}: cannot read {path} ({error.strerror or error})") from error


def _unusable(path: Path) -> KeyFileError:
    return KeyFileError(
        f"IMAGEMILL_SIGNING_KEY: {path} is not an Ed25519 key in PEM without a password; "
        "make one with `openssl genpkey -algorithm ed25519`"
    )


def _not_public(path: Path) -> KeyFileError:
    return KeyFileError(
        f"--public-key: {path} is not a public Ed25519 key in PEM; get it with `openssl pkey -in key.pem -pubout`"
    )
