import hashlib
from http import HTTPStatus
from pathlib import Path

import pytest

from app.cluster import model_files
from app.cluster.model_files import ModelFiles
from app.errors import ApiError
from worker.contracts.model_files import ModelFile
from worker.contracts.store.store import Store

SHA256 = "a" * 64


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path / "store"))
    for name in (ModelFile.WEIGHTS, ModelFile.ENGINE, ModelFile.CARD):
        store.model_files.write(SHA256, name, name.encode())
    return store


def test_the_files_of_a_model_are_listed_in_order(store: Store) -> None:
    files = ModelFiles(store, is_private=False)
    assert files.names(SHA256) == [ModelFile.CARD, ModelFile.ENGINE, ModelFile.WEIGHTS]
    assert files.names("b" * 64) == []


def test_a_list_is_used_again_for_some_seconds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    files = ModelFiles(store, is_private=False)
    files.names(SHA256)
    store.model_files.write(SHA256, ModelFile.GRID, b"")
    assert ModelFile.GRID not in files.names(SHA256)
    monkeypatch.setattr(model_files, "_LISTING_SECONDS", 0)
    assert ModelFile.GRID in files.names(SHA256)


def test_files_of_a_newer_version_are_not_listed(store: Store, tmp_path: Path) -> None:
    (tmp_path / "store" / "models" / SHA256 / "engine-2.json").write_text("{}")
    assert len(ModelFiles(store, is_private=False).names(SHA256)) == 3


def test_while_the_store_is_gone_no_file_is_listed(store: Store, tmp_path: Path) -> None:
    (tmp_path / "store" / "models").rename(tmp_path / "away")
    (tmp_path / "store" / "models").write_text("no folder")
    assert ModelFiles(store, is_private=False).names(SHA256) == []


def test_private_weights_are_neither_listed_nor_read(store: Store) -> None:
    files = ModelFiles(store, is_private=True)
    assert files.names(SHA256) == [ModelFile.CARD]
    with pytest.raises(ApiError, match="IMAGEMILL_WEIGHTS=private") as refused:
        files.read(SHA256, ModelFile.WEIGHTS)
    assert (refused.value.status, refused.value.code) == (HTTPStatus.FORBIDDEN, "weights_private")


def test_a_file_that_can_change_has_the_checksum_of_its_content_as_its_etag(store: Store) -> None:
    files = ModelFiles(store, is_private=False)
    card, weights = files.read(SHA256, ModelFile.CARD), files.read(SHA256, ModelFile.WEIGHTS)
    assert (card.etag, card.is_immutable) == (f'"{hashlib.sha256(card.data).hexdigest()}"', False)
    assert (weights.etag, weights.is_immutable) == (f'"{SHA256}-weights-1.bin"', True)


def test_an_error_names_the_files_that_there_are(store: Store) -> None:
    with pytest.raises(ApiError, match=r"a+ has no file grid\.png; it has card\.md, engine-1\.json, weights-1\.bin"):
        ModelFiles(store, is_private=False).read(SHA256, ModelFile.GRID)
