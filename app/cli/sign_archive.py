"""Signs the images of a dataset, for `imagemill sign`."""

import hashlib
import json
import zipfile
from pathlib import Path, PurePosixPath

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.signals import ended_by_signals
from app.provenance.content_credentials import CredentialsError, CredentialsSigner, credentials_fault
from worker.contracts.formats import SUFFIXES, Format

_FORMATS: dict[str, Format] = {f".{suffix}": name for name, suffix in SUFFIXES.items() if name != "npz"}
_METADATA = "metadata.jsonl"


def sign_archive(archive: Path, certificate: Path, key: Path, out: Path) -> None:
    """Write a copy of a dataset whose images have Content Credentials. The file appears once it is complete."""
    part = out.with_name(f".{out.name}.part")
    with ended_by_signals(CredentialsError, OSError, is_normal=False):
        try:
            signer = CredentialsSigner(certificate, key)
            try:
                with zipfile.ZipFile(archive) as source, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as target:
                    count = _copy(source, target, signer)
            except zipfile.BadZipFile as error:
                raise CredentialsError(f"{archive} is not a ZIP of a dataset ({error})") from error
            if not count:
                raise CredentialsError(f"{archive} holds no image files; use the layout imagefolder and no arrays")
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    typer.echo(f"{out}: {count} images signed")


def _copy(source: zipfile.ZipFile, target: zipfile.ZipFile, signer: CredentialsSigner) -> int:
    """Copy all members, and sign the images. Returns their number. The metadata gets the new checksums."""
    sha256s = dict[str, str]()
    # The metadata follows the images in the archive, and names their files.
    members = sorted(source.infolist(), key=lambda member: member.filename == _METADATA)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for member in progress.track(members, description="Signing"):
            data = source.read(member)
            image_format = _FORMATS.get(PurePosixPath(member.filename).suffix)
            if image_format is not None and member.filename.startswith("images/"):
                data = signer.sign(data, image_format, PurePosixPath(member.filename).name)
                if not sha256s and (fault := credentials_fault(data, image_format)):
                    raise CredentialsError(f"the certificate makes invalid Content Credentials: {fault}")
                sha256s[member.filename] = hashlib.sha256(data).hexdigest()
            elif member.filename == _METADATA:
                data = _with_checksums(data, sha256s)
            entry = zipfile.ZipInfo(member.filename, member.date_time)
            entry.external_attr = member.external_attr
            target.writestr(entry, data)
    return len(sha256s)


def _with_checksums(metadata: bytes, sha256s: dict[str, str]) -> bytes:
    records = [json.loads(line) for line in metadata.splitlines()]
    lines = [
        json.dumps({**each, "sha256": sha256s.get(each["file_name"], each["sha256"])}, ensure_ascii=False)
        for each in records
    ]
    return "".join(f"{line}\n" for line in lines).encode()
