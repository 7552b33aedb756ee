"""`imagemill sign`: Content Credentials in the images of a downloaded dataset."""

import io
import json
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from app.provenance.content_credentials import credentials_fault
from imagemill.start import command
from tests.command import ENVIRONMENT
from tests.integration.running_service import RunningService, metadata
from tests.tiny import LABELLED
from worker.contracts.formats import SUFFIXES, Format
from worker.contracts.marks.extraction import find_packet

c2pa = pytest.importorskip("c2pa", reason="NO CONTENT CREDENTIALS WERE CHECKED: c2pa-python has no wheel here")


def name(text: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, text), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab")]
    )


def certificate(text: str, key: Ed25519PublicKey, issuer: Ed25519PrivateKey) -> bytes:
    """Return a certificate by a root of our own, as C2PA needs it."""
    now, is_root = datetime.now(UTC), text == "root"
    usage = x509.KeyUsage(True, False, False, False, False, is_root, is_root, False, False)
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    builder = (
        x509.CertificateBuilder(name("root"), name(text), key, x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(is_root, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    if not is_root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer, None).public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options of a certificate and its key."""
    folder, root, key = tmp_path_factory.mktemp("c2pa"), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate("maker", key.public_key(), root) + certificate("root", root.public_key(), root))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return ["--certificate", str(chain), "--key", str(secret)]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("sign", *arguments), env=ENVIRONMENT, capture_output=True, text=True, timeout=100, cwd=folder
    )


def images(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {member: file.read(member) for member in file.namelist() if member.startswith("images/")}


@pytest.mark.parametrize("image_format", ["png", "webp", "jpeg"])
def test_signed_images_have_valid_credentials_and_the_same_pixels(
    service: RunningService, tmp_path: Path, keys: list[str], image_format: Format
) -> None:
    job = service.wait_done(service.generate(6, model=LABELLED, seed=5, format=image_format)["id"])
    (tmp_path / "faces.zip").write_bytes(service.download(job["id"]))
    done = run(tmp_path, "faces.zip", *keys, "-o", "out.zip")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "out.zip: 6 images signed\n"
    before, after = (tmp_path / "faces.zip").read_bytes(), (tmp_path / "out.zip").read_bytes()
    assert list(images(before)) == list(images(after))
    for path, image in images(after).items():
        assert path.endswith(SUFFIXES[image_format])
        assert credentials_fault(image, image_format) is None
        assert find_packet(image) == find_packet(images(before)[path])
        pixels = [Image.open(io.BytesIO(data)).convert("RGB").tobytes() for data in (image, images(before)[path])]
        assert pixels[0] == pixels[1]
        with c2pa.Reader(f"image/{image_format}", io.BytesIO(image)) as reader:
            manifest = json.loads(reader.json())
        (signed,) = manifest["manifests"].values()
        assert signed["title"] == Path(path).name
        assert "trainedAlgorithmicMedia" in json.dumps(signed["assertions"])
    told = {record["file_name"]: record["sha256"] for record in metadata(after)}
    assert len(set(told.values()) | {record["sha256"] for record in metadata(before)}) == 12
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert "exists already" in run(tmp_path, "faces.zip", *keys, "-o", "out.zip").stderr
    assert run(tmp_path, "faces.zip", *keys, "-o", "out.zip", "--force").returncode == 0


def test_a_changed_image_has_invalid_credentials(service: RunningService, tmp_path: Path, keys: list[str]) -> None:
    job = service.wait_done(service.generate(1, seed=5)["id"])
    (tmp_path / "faces.zip").write_bytes(service.download(job["id"]))
    assert run(tmp_path, "faces.zip", *keys).returncode == 0
    (image,) = images((tmp_path / "signed.zip").read_bytes()).values()
    assert credentials_fault(image, "png") is None
    changed = image.replace(b"cpu-", b"gpu-")
    assert changed != image
    assert credentials_fault(changed, "png") is not None


def test_files_that_cannot_sign_or_be_signed_are_named(tmp_path: Path, keys: list[str]) -> None:
    for wrong in ("text.zip", "text.pem"):
        (tmp_path / wrong).write_text("text")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as file:
        file.writestr("README.md", "")
    image = io.BytesIO()
    Image.new("RGB", (16, 16)).save(image, "PNG")
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as file:
        file.writestr("images/000000.png", image.getvalue())
    _, chain, _, key = keys
    for arguments, sentence in (
        (["text.zip", *keys], "text.zip is not a ZIP"),
        (["empty.zip", *keys], "empty.zip holds no image files"),
        (["empty.zip", "--certificate", chain, "--key", "text.pem"], "text.pem is not a private key"),
        (["one.zip", "--certificate", "text.pem", "--key", key], "text.pem"),
    ):
        refused = run(tmp_path, *arguments)
        assert refused.returncode == 1
        assert "Error: " in refused.stderr
        assert sentence in refused.stderr
        assert {path.name for path in tmp_path.iterdir()} == {"text.zip", "text.pem", "empty.zip", "one.zip"}
