import io
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.provenance.image_search import MAX_BITS, ImageSearch, coarse_hash
from models.image_hash import image_hashes
from tests.tiny import picture
from tests.unit.conftest import spec_of
from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import ImageTable
from worker.contracts.store.store import Store

IMAGES = [picture(seed, (64, 64)) for seed in range(8)]


def exact_hash(image: Image.Image) -> int:
    return int(image_hashes(np.asarray(image)[None])[0])


def written(image: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("size", [(64, 64), (33, 47), (512, 300), (16, 16)])
def test_the_hash_is_exact(size: tuple[int, int]) -> None:
    for seed in range(20):
        image = picture(seed, size)
        assert coarse_hash(image) == exact_hash(image)


def test_copies_have_near_hashes() -> None:
    for image in IMAGES:
        for copy in (written(image, "JPEG", quality=50), written(image.resize((128, 128)), "JPEG", quality=75)):
            found = coarse_hash(Image.open(io.BytesIO(copy)).convert("RGB"))
            assert (found ^ exact_hash(image)).bit_count() <= MAX_BITS


def add_job(store: Store, spec: JobSpec) -> None:
    store.jobs.create(spec)
    store.jobs.list.add(spec)


@pytest.fixture
def job(tmp_path: Path) -> tuple[Store, JobSpec]:
    """A job of two shards that has rendered the images."""
    store = Store(str(tmp_path))
    spec = spec_of(len(IMAGES), classes=("a", "b")).model_copy(update={"archive_version": 4, "first": 100})
    add_job(store, spec)
    for shard in range(2):
        files = [written(image) for image in IMAGES[4 * shard : 4 * shard + 4]]
        offsets = [sum(map(len, files[:row])) for row in range(4)]
        table = ImageTable(
            offsets=tuple(offsets),
            sizes=tuple(map(len, files)),
            crc32s=(0,) * 4,
            sha256s=("0" * 64,) * 4,
            hashes=tuple(f"{exact_hash(image):016x}" for image in IMAGES[4 * shard : 4 * shard + 4]),
        )
        store.shards.commit(spec.id, shard, b"".join(files), table)
    return store, spec


def test_an_image_and_its_copy_are_found(job: tuple[Store, JobSpec]) -> None:
    store, spec = job
    search = ImageSearch(store)
    found = search.find(IMAGES[5], "")
    assert found is not None
    assert (found.verdict, found.mark) == ("equal", None)
    assert found.address is not None
    assert (found.address.index, found.address.class_label, found.address.seed) == (105, "b", spec.seed)
    larger = search.find(IMAGES[6].resize((200, 200), Image.Resampling.BICUBIC), "")
    assert larger is not None
    assert (larger.verdict, larger.address and larger.address.index) == ("close", 106)
    assert search.find(IMAGES[5], "another owner") is None
    assert search.find(picture(99, (64, 64)), "") is None


def test_jobs_without_images_are_passed_over(job: tuple[Store, JobSpec]) -> None:
    store, spec = job
    others: list[dict[str, object]] = [{"format": "npz"}, {"archive_version": 2}, {}]
    for number, other in enumerate(others):
        # They are newer, so they are searched before.
        newer = spec.created + timedelta(seconds=number + 1)
        add_job(store, spec.model_copy(update={**other, "id": f"{number}" * 22, "created": newer}))
    store.jobs.list.add(spec.model_copy(update={"id": "z" * 22}))  # a job that was never accepted
    assert ImageSearch(store).find(IMAGES[0], "") is not None


def test_a_search_ends_in_time(job: tuple[Store, JobSpec], monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = job
    monkeypatch.setattr("app.provenance.image_search.MAX_SECONDS", 0)
    assert ImageSearch(store).find(IMAGES[0], "") is None
