from pathlib import Path
from threading import Event, Thread

import pytest
import torch

from tests.tiny import save_checkpoint
from worker.contracts.model_files import ModelFile
from worker.contracts.store.store import Store
from worker.queue.model_publisher import publish_models
from worker.rendering.engine import RenderEngine

DEADLINE_SECONDS = 30


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "models", "plain")
    (tmp_path / "models" / "plain.md").write_text("# plain")
    return tmp_path / "models" / "plain.safetensors"


@pytest.fixture
def engine(checkpoint: Path) -> RenderEngine:
    return RenderEngine([checkpoint], torch.device("cpu"))


def test_the_files_of_a_model_are_stored_once(tmp_path: Path, checkpoint: Path, engine: RenderEngine) -> None:
    store, sha256 = Store(str(tmp_path / "store")), engine.entries[0].sha256
    publish_models(store.model_files, engine, Event())
    assert store.model_files.names(sha256) == {ModelFile.CARD, ModelFile.ENGINE, ModelFile.WEIGHTS}
    stored = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "store" / "models" / sha256).iterdir()}
    checkpoint.with_suffix(".md").write_text("# plain, again")
    publish_models(store.model_files, engine, Event())
    again = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "store" / "models" / sha256).iterdir()}
    assert {name for name in stored if stored[name] != again[name]} == {"card.md"}
    assert store.model_files.read(sha256, ModelFile.CARD) == b"# plain, again"


def test_a_checkpoint_that_is_gone_does_not_stop_the_others(tmp_path: Path, checkpoint: Path) -> None:
    save_checkpoint(tmp_path / "models", "second")
    engine = RenderEngine([checkpoint, checkpoint.with_name("second.safetensors")], torch.device("cpu"))
    first, second = (entry.sha256 for entry in engine.entries)
    checkpoint.unlink()
    store = Store(str(tmp_path / "store"))
    publish_models(store.model_files, engine, Event())
    assert not store.model_files.names(first) & {ModelFile.ENGINE, ModelFile.WEIGHTS}
    assert store.model_files.names(second) == {ModelFile.ENGINE, ModelFile.WEIGHTS}


def test_while_the_store_cannot_be_used_it_tries_again(
    tmp_path: Path, engine: RenderEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.queue.model_publisher._RETRY_SECONDS", 0.02)
    store, sha256, stopping = Store(str(tmp_path / "store")), engine.entries[0].sha256, Event()
    (tmp_path / "store" / "models").rmdir()
    (tmp_path / "store" / "models").write_text("no folder")
    thread = Thread(target=publish_models, args=(store.model_files, engine, stopping))
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    (tmp_path / "store" / "models").unlink()
    thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()
    assert ModelFile.ENGINE in store.model_files.names(sha256)
    (tmp_path / "store" / "models" / sha256).rename(tmp_path / "away")
    (tmp_path / "store" / "models" / sha256).write_text("no folder")
    stopping.set()
    publish_models(store.model_files, engine, stopping)  # it ends, because the worker stops
