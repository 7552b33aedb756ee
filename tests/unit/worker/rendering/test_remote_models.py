from pathlib import Path

import obstore
import pytest
from obstore.store import from_url

from models import registry
from tests.s3 import BUCKET, S3Server
from tests.tiny import PLAIN, save_checkpoint
from worker.rendering.remote_models import find_models_folder


def test_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    assert find_models_folder(str(tmp_path)) == tmp_path
    assert find_models_folder(None) is None


def test_the_checkpoints_of_a_bucket_are_copied_with_the_files_beside_them(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    save_checkpoint(tmp_path, PLAIN)
    (source,) = registry.checkpoints_in(tmp_path)
    bucket = from_url(f"s3://{BUCKET}/given", client_options={"allow_http": True})
    obstore.put(bucket, source.name, source.read_bytes())
    obstore.put(bucket, f"{source.stem}.md", b"a card")
    obstore.put(bucket, "older/other.safetensors", b"not this one")
    folder = find_models_folder(f"s3://{BUCKET}/given")
    assert folder is not None
    assert {path.name for path in folder.iterdir()} == {source.name, f"{source.stem}.md"}
    assert (folder / source.name).read_bytes() == source.read_bytes()
