import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from app.cluster.first_seen import CERTAIN_SECONDS
from app.jobs.style_removal import StyleRemoval
from tests.unit.conftest import MakeSpec
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError
from worker.contracts.styles import StyleEntry, StyleSpec

STYLE = "5" * 64
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def encoded() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def upload(store: Store, owner: str) -> None:
    store.styles.add(StyleEntry(id=STYLE, width=2, height=2, owner=owner, created=NOW), encoded())


def has_image(store: Store) -> bool:
    try:
        return store.styles.image(STYLE) == encoded()
    except DamagedError:
        return False


def run(removal: StyleRemoval, *, until: float = CERTAIN_SECONDS) -> None:
    removal.run(0)
    removal.run(until)


@pytest.mark.parametrize("owner", ["", "alice"])
def test_an_image_goes_after_a_while_without_an_owner(store: Store, owner: str) -> None:
    upload(store, owner)
    store.styles.drop(owner, STYLE)
    removal = StyleRemoval(store)
    run(removal, until=CERTAIN_SECONDS - 1)
    assert has_image(store)
    removal.run(CERTAIN_SECONDS)
    assert not has_image(store)
    assert store.styles.dropped() == set()


@pytest.mark.parametrize("other", ["", "bob"])
def test_an_image_stays_as_long_as_another_owner_has_it(store: Store, other: str) -> None:
    upload(store, "alice")
    upload(store, other)
    store.styles.drop("alice", STYLE)
    run(StyleRemoval(store))
    assert has_image(store)
    store.styles.drop(other, STYLE)
    run(StyleRemoval(store))
    assert not has_image(store)


def test_an_image_stays_as_long_as_an_open_job_needs_it(store: Store, make_spec: MakeSpec) -> None:
    upload(store, "")
    style = StyleSpec(id=STYLE, mode="standard", strength=1, steps=1)
    spec = make_spec().model_copy(update={"style": style})
    store.jobs.create(spec)
    store.styles.drop("", STYLE)
    removal = StyleRemoval(store)
    run(removal, until=99 * CERTAIN_SECONDS)
    assert has_image(store)
    store.jobs.close(spec.id)
    removal.run(99 * CERTAIN_SECONDS)  # a request may have checked the style before it was removed
    assert has_image(store)
    removal.run(100 * CERTAIN_SECONDS)
    assert not has_image(store)


def test_an_image_that_is_uploaded_again_stays(store: Store) -> None:
    upload(store, "")
    store.styles.drop("", STYLE)
    removal = StyleRemoval(store)
    removal.run(0)
    upload(store, "")
    removal.run(CERTAIN_SECONDS)
    removal.run(2 * CERTAIN_SECONDS)
    assert has_image(store)
    assert store.styles.dropped() == set()


@pytest.mark.parametrize("step", ["read", "delete"])
def test_an_upload_during_the_removal_keeps_its_image(store: Store, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    upload(store, "")
    store.styles.drop("", STYLE)
    objects = store._objects
    change = getattr(objects, step)

    def upload_after(path: str) -> object:
        monkeypatch.undo()
        result = change(path)
        upload(store, "")
        return result

    monkeypatch.setattr(objects, step, upload_after)
    store.styles.remove_image(STYLE)
    assert has_image(store)
