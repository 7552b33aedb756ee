"""The bytes of archives: each image and each archive is promised to stay the same under one numerics.

The shipped models give whole archives: nothing in them differs between two runs. The checkpoints of the tiny models
hold the versions of the installed libraries, so their sha256, which the dataset card tells, is replaced before hashing.
"""

import hashlib
import io
import zipfile

import pytest

from tests.frozen import cpu, snapshot
from tests.frozen.jobs import TINY, Jobs
from tests.frozen.service import Service


def test_archives_keep_their_bytes(service: Service, jobs: Jobs) -> None:
    found = dict[str, str]()
    for (model, kind, mode), job in jobs.archives.items():
        archive = service.download(job)
        if model in TINY:
            found[f"{model}, {kind}, {mode}, members"] = digest_of_members(archive, checkpoint_of(service, model))
        else:
            found[f"{model}, {kind}, {mode}"] = hashlib.sha256(archive).hexdigest()
    name = f"archives-{cpu.name(service.numerics)}.json"
    skip_on_another_cpu(name)
    snapshot.check(name, snapshot.as_json(found))


def skip_on_another_cpu(name: str) -> None:
    """Skip where there are snapshots, but none of this kind of CPU."""
    there = sorted(path.name for path in snapshot.FOLDER.glob("archives-*.json"))
    if there and name not in there and not snapshot.is_renewed():
        pytest.skip(f"NO ARCHIVE WAS CHECKED: there is no {name}, only {', '.join(there)}; {snapshot.RENEW}=1 adds it")


def checkpoint_of(service: Service, model: str) -> str:
    """Find the sha256 of a model."""
    return str(service.client.get(f"/models/{model}").json()["sha256"])


def digest_of_members(archive: bytes, checkpoint: str) -> str:
    """Hash the names and bytes of an archive's members, without the sha256 of the model."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        for name in file.namelist():
            digest.update(f"{name}\n".encode() + file.read(name).replace(checkpoint.encode(), b"<model>"))
    return digest.hexdigest()
