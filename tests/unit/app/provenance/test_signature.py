from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from app.provenance.signature import (
    SIGNATURE_BYTES,
    KeyFileError,
    SigningKey,
    fingerprint,
    is_signed,
    load_public_key,
    load_signing_key,
)

RFC_8032_SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
"""Test 1 of RFC 8032, section 7.1."""
RFC_8032_SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)


def write(
    path: Path,
    key: Ed25519PrivateKey | X25519PrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> Path:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
    return path


def write_public(path: Path, key: Ed25519PrivateKey) -> Path:
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def test_a_signature_is_that_of_the_standard(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(RFC_8032_SECRET)
    assert SigningKey.load(write(tmp_path / "key.pem", key)).sign(b"") == RFC_8032_SIGNATURE
    assert len(RFC_8032_SIGNATURE) == SIGNATURE_BYTES


def test_only_the_same_bytes_and_the_same_key_are_valid(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    public = load_public_key(write_public(tmp_path / "public.pem", key))
    signing = SigningKey.load(write(tmp_path / "key.pem", key))
    signature = signing.sign(b"content")
    assert is_signed(b"content", signature, public)
    assert not is_signed(b"Content", signature, public)
    assert not is_signed(b"content", signature[:-1], public)
    assert not is_signed(b"content", b"", public)
    other = load_public_key(write_public(tmp_path / "other.pem", Ed25519PrivateKey.generate()))
    assert not is_signed(b"content", signature, other)
    assert signing.sha256 == fingerprint(public) != fingerprint(other)


def test_a_service_without_the_setting_has_no_key() -> None:
    assert load_signing_key(None) is None


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    unusable = {
        "missing": tmp_path / "missing.pem",
        "folder": tmp_path,
        "encrypted": write(tmp_path / "encrypted.pem", Ed25519PrivateKey.generate(), BestAvailableEncryption(b"x")),
        "other kind": write(tmp_path / "x25519.pem", X25519PrivateKey.generate()),
        "public": write_public(tmp_path / "public.pem", Ed25519PrivateKey.generate()),
        "text": tmp_path / "text.pem",
    }
    unusable["text"].write_text("no key")
    for kind, path in unusable.items():
        with pytest.raises(KeyFileError, match="IMAGEMILL_SIGNING_KEY") as error:
            SigningKey.load(path)
        assert str(path) in str(error.value), kind
        assert "\n" not in str(error.value)


def test_a_private_key_is_refused_in_the_place_of_a_public_one(tmp_path: Path) -> None:
    private = write(tmp_path / "key.pem", Ed25519PrivateKey.generate())
    with pytest.raises(KeyFileError, match="openssl pkey"):
        load_public_key(private)
