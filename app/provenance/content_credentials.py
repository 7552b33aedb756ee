"""Signs image files with Content Credentials (C2PA 2). The package `c2pa` is imported when the signer is made.

Two signatures of one file differ, so this is done after a download, never in the service.
"""

import io
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker.contracts.errors import SettingsError
from worker.contracts.formats import Format
from worker.contracts.marks.xmp_packet import DIGITAL_SOURCE_TYPE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_EC_ALGORITHMS = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_SETTINGS = {
    # A thumbnail takes 60 kB, many times the size of these images. The caller checks one signature itself.
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"verify_after_sign": False},
}


class CredentialsError(SettingsError):
    """Images cannot be signed. The message is a reason that a user can read."""


class CredentialsSigner:
    """Signs image files with the certificate of their maker."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Load a chain of certificates and the private key of its first one, both in PEM. Raises CredentialsError."""
        _require_packages()
        import c2pa

        self._certificate = certificate
        chain, secret = _read(certificate), _read(key)
        try:
            info = c2pa.C2paSignerInfo(_algorithm(secret, key), chain, secret, None)
            self._signer = c2pa.Signer.from_info(info)
            self._context = c2pa.Context(c2pa.Settings.from_dict(_SETTINGS))
        except c2pa.C2paError as error:
            raise CredentialsError(f"{certificate} and {key} cannot sign ({error})") from error

    def sign(self, file: bytes, image_format: Format, title: str) -> bytes:
        """Return an image file with Content Credentials. The pixels stay the same. Raises CredentialsError."""
        import c2pa

        signed = io.BytesIO()
        try:
            with c2pa.Builder(_manifest(title), self._context) as builder:
                builder.sign(self._signer, f"image/{image_format}", io.BytesIO(file), signed)
        except c2pa.C2paError as error:
            raise CredentialsError(f"{title} cannot be signed with {self._certificate} ({error})") from error
        return signed.getvalue()


def credentials_fault(file: bytes, image_format: Format) -> str | None:
    """Return why the Content Credentials of an image are invalid; None if they are valid, trusted or not."""
    import c2pa

    try:
        with c2pa.Reader(f"image/{image_format}", io.BytesIO(file)) as reader:
            state = reader.get_validation_state()
    except c2pa.C2paError as error:
        return str(error)
    return None if state in ("Valid", "Trusted") else f"their state is {state}"


def _manifest(title: str) -> dict[str, Any]:
    program = {"name": "imagemill", "version": version("imagemill")}
    action = {"action": "c2pa.created", "digitalSourceType": DIGITAL_SOURCE_TYPE, "softwareAgent": program}
    assertions = [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}]
    return {"title": title, "claim_generator_info": [program], "assertions": assertions}


def _algorithm(secret: bytes, path: Path) -> str:
    """Return C2PA's name of the algorithm of a private key. Raises CredentialsError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = _algorithm_of(load_pem_private_key(secret, password=None))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: the key has a password
        raise CredentialsError(f"{path} is not a private key in PEM without a password") from error
    if found is None:
        raise CredentialsError(f"{path} has another kind of key than Ed25519, ECDSA (P-256, P-384, P-521) and RSA")
    return found


def _algorithm_of(key: "PrivateKeyTypes") -> str | None:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if isinstance(key, Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, EllipticCurvePrivateKey):
        return _EC_ALGORITHMS.get(key.curve.name)
    return "ps256" if isinstance(key, RSAPrivateKey) else None


def _require_packages() -> None:
    try:
        import c2pa  # noqa: F401
        import cryptography  # noqa: F401
    except ImportError as error:
        install = ".uv/bin/uv pip install 'c2pa-python!=0.38.2' cryptography"
        detail = (
            f"Content Credentials need the packages c2pa-python and cryptography; in the folder of Imagemill: {install}"
        )
        raise CredentialsError(detail) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(f"cannot read {path} ({error.strerror or error})") from error
