"""Whatever the workers, shards, orders and kills: the archive of a job is that of a sequential loop."""

import io
import json
import tarfile
import zipfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from pyarrow import parquet

from app.jobs.extension import extended
from tests.unit.conftest import MakeSpec
from tests.unit.pictures import picture, with_pictures
from tests.unit.selections import candidate_of, commit
from tests.unit.worker.archive.archives import read
from worker.archive.archive_writer import write_archive
from worker.contracts.cut import Cut
from worker.contracts.formats import Format
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import Selection
from worker.contracts.store.store import Store
from worker.queue.choice_tracker import ChoiceTracker
from worker.rendering.candidate import Candidate, Verdict

TOTAL = 150
"""Number of candidates whose outcome is drawn. Later ones are all accepted, so that every job ends."""
GATE = "9" * 64


@dataclass(frozen=True)
class Outcomes:
    """The outcome of each candidate: whether the gate accepts it, whether it is a copy, and its hash."""

    accepted: list[bool]
    copies: list[bool]
    hashes: list[int]

    def candidate(self, index: int, file_format: Format = "png") -> Candidate:
        drawn = index < TOTAL
        verdict = Verdict(700 if not drawn or self.accepted[index] else 300, drawn and self.copies[index])
        is_accepted = verdict.score == 700 and not verdict.is_copy
        return candidate_of(index, verdict, self.hash_of(index), is_accepted, picture(index, file_format))

    def hash_of(self, index: int) -> int:
        # Hashes of later candidates are far from each other and from the drawn ones.
        return self.hashes[index] if index < TOTAL else (index * 0x9E3779B97F4A7C15) % 2**64 | 1 << 40


@dataclass
class SimulatedWorker:
    """A worker with a memory of its own, which renders a shard in steps and commits it."""

    store: Store
    tracker: ChoiceTracker
    shard: int | None = None
    rendered: list[Candidate] = field(default_factory=list)

    def step(self, spec: JobSpec, outcomes: Outcomes, size: int) -> bool:
        """Render some candidates of the shard. Returns whether the shard is done."""
        assert self.shard is not None
        indices = spec.shard_indices(self.shard)
        batch = [
            outcomes.candidate(index, spec.format) for index in indices[len(self.rendered) : len(self.rendered) + size]
        ]
        self.rendered += batch
        self.tracker.add(spec, batch)
        end = self.tracker.find_end(spec, self.shard)
        if end is not None and end <= indices.start + len(self.rendered):
            del self.rendered[max(0, end - indices.start) :]
            return True
        return len(self.rendered) == len(indices)

    def commit(self, spec: JobSpec) -> None:
        assert self.shard is not None
        if self.rendered:
            commit(self.store, spec, self.shard, self.rendered)
        self.shard, self.rendered = None, []


def archive_of(spec: JobSpec, folder: Path) -> bytes:
    """Publish the archive of a complete job, and read its parts."""
    store = open_folder(folder)
    shards = list(store.choices.chosen_shards(spec))
    return read(folder, write_archive(store, spec, shards))


def indices_of(archive: bytes, spec: JobSpec) -> list[int]:
    """Return the indices of an archive's images in their order, after a check of the images."""
    if spec.packing == "webdataset":
        with tarfile.open(fileobj=io.BytesIO(archive), errorlevel=2) as tar:
            images = [(int(each.name[:-4]), tar.extractfile(each)) for each in tar if each.name.endswith(".png")]
            assert all(file is not None and file.read() == picture(index) for index, file in images)
        return [index for index, _ in images]
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.testzip() is None
        if spec.packing == "parquet":
            names = [name for name in file.namelist() if name.endswith(".parquet")]
            rows = [row for name in names for row in parquet.read_table(file.open(name)).to_pylist()]
            assert all(row["image"]["bytes"] == picture(row["index"]) for row in rows)
            assert all(row["score"] == 700 for row in rows if spec.selection)
            return [row["index"] for row in rows]
        indices = [json.loads(line)["index"] for line in file.read("metadata.jsonl").splitlines()]
        if spec.format == "npz":
            raw = b"".join(file.read(name)[128:] for name in file.namelist() if name.startswith("images_"))
            assert raw == b"".join(picture(index, "npz") for index in indices)
        return indices


def expected_indices(spec: JobSpec, outcomes: Outcomes) -> tuple[list[int], int]:
    """Return the kept indices and the number of tried ones, by a sequential loop."""
    quotas, kept, tried, index = list(spec.quotas()), list[int](), 0, spec.first
    distinct = spec.selection.distinct if spec.selection else None
    while len(kept) < spec.n:
        label = (spec.labels(range(index, index + 1)) or [0])[0]
        is_wanted = quotas[label] > 0
        tried += is_wanted
        image_hash = outcomes.hash_of(index)
        is_near = distinct is not None and any((outcomes.hash_of(k) ^ image_hash).bit_count() <= distinct for k in kept)
        if is_wanted and outcomes.candidate(index).image is not None and not is_near:
            quotas[label] -= 1
            kept.append(index)
        index += 1
    return kept, tried


def random_job(make_spec: MakeSpec, random: Random) -> JobSpec:
    distinct = random.choice([None, 0, 1, 3])
    changed = {
        "archive_version": random.choice([3, 4]),
        "first": random.randint(0, 20),
        "cut": Cut(first=random.randint(1, 9), most=random.randint(9, 40)),
        "shares": random.choice([(), (2, 1), (1, 0), (5, 3)]),
        "selection": Selection(gate=GATE, keep=500, drops_copies=True, distinct=distinct),
    }
    layout = random.choice([{}, {"packing": "webdataset"}, {"packing": "parquet"}, {"format": "npz"}])
    return with_pictures(make_spec(n=random.randint(1, 30), classes=("a", "b"))).model_copy(update=changed | layout)


def random_outcomes(random: Random) -> Outcomes:
    rate = random.choice([0.1, 0.5, 0.9])
    accepted, copies = ([random.random() < share for _ in range(TOTAL)] for share in (rate, 0.1))
    return Outcomes(list(accepted), list(copies), [random.randrange(64) for _ in range(TOTAL)])


@pytest.mark.parametrize("seed", range(60))
def test_an_archive_is_that_of_a_sequential_loop(make_spec: MakeSpec, tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    spec, outcomes = random_job(make_spec, random), random_outcomes(random)
    run_to_the_end(spec, outcomes, tmp_path / "parallel", random)
    archive = archive_of(spec, tmp_path / "parallel")
    # An archive without files of whole shards does not depend on the cut, so it may be one shard.
    most = spec.max_candidates
    whole = spec.model_copy(update={"cut": Cut(first=most, most=most)}) if spec.is_divisible else spec
    store = open_folder(tmp_path / "sequential")
    worker = SimulatedWorker(store, ChoiceTracker(store.shards))
    for worker.shard in whole.shards:
        is_done = worker.step(whole, outcomes, most)
        worker.commit(whole)
        if is_done and open_folder(tmp_path / "sequential").choices.current(whole).is_complete:
            break
    assert archive == archive_of(whole, tmp_path / "sequential")
    kept, tried = expected_indices(spec, outcomes)
    assert indices_of(archive, spec) == kept
    told = f"keeps {spec.n} of {tried} candidates" if spec.has_report else f"{spec.n} of {tried} candidates were kept"
    assert told.encode() in archive


@pytest.mark.parametrize("seed", range(40))
def test_an_extended_archive_is_that_of_one_job(make_spec: MakeSpec, tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    spec, outcomes = random_job(make_spec, random), random_outcomes(random)
    if random.random() < 0.3:
        spec, outcomes = (
            spec.model_copy(update={"selection": None}),
            Outcomes([True] * TOTAL, [False] * TOTAL, list(range(TOTAL))),
        )
    folder, levels = tmp_path / "extended", [spec]
    run_to_the_end(spec, outcomes, folder, random)
    for level in range(random.randint(1, 3)):
        longer = extended(open_folder(folder), levels[-1], random.choice([1, random.randint(1, 30)]))
        levels.append(longer.model_copy(update={"id": f"{level:022d}"}))
        run_to_the_end(levels[-1], outcomes, folder, random)
    for level, each in enumerate(levels):
        whole = each.model_copy(update={"ancestors": ()})
        run_to_the_end(whole, outcomes, tmp_path / f"{level}", random)
        assert archive_of(each, folder) == archive_of(whole, tmp_path / f"{level}")
    # No image is stored twice, neither in a job nor in its ancestors.
    shards = list(open_folder(folder).choices.chosen_shards(levels[-1]))
    indices = [index for shard in shards for index, _ in shard.images()]
    assert len(set(indices)) == len(indices) == levels[-1].n


def run_to_the_end(spec: JobSpec, outcomes: Outcomes, folder: Path, random: Random) -> None:
    """Let one to four workers render shards in a random order until the job is complete. Some of them die."""
    store, clock = open_folder(folder), ticks()

    def new_tracker() -> ChoiceTracker:
        return ChoiceTracker(store.shards, lambda: next(clock))

    workers = [SimulatedWorker(store, new_tracker()) for _ in range(random.randint(1, 4))]
    tasks = deque(spec.shards)
    while not open_folder(folder).choices.is_complete(spec, store.shards.committed(spec.id)):
        worker, fate = random.choice(workers), random.random()
        committed = sorted(store.shards.committed(spec.id))
        if committed and random.random() < 0.05:  # a shard is damaged, and the repair removes it
            damaged = random.choice(committed)
            store.shards.forget(spec.id, damaged)
            tasks.appendleft(damaged)
        if worker.shard is None and not tasks:
            continue  # other workers hold the rest
        if worker.shard is None:
            shard = tasks.popleft()
            worker.shard = shard if worker.tracker.is_needed(spec, shard) else None
            continue
        is_done = worker.step(spec, outcomes, random.randint(1, 20))
        if is_done and fate > 0.2:
            worker.commit(spec)
        elif is_done or fate < 0.1:
            # It dies and forgets everything; or the store refuses the shard, and the worker remembers it.
            tasks.appendleft(worker.shard)
            worker.shard, worker.rendered = None, []
            worker.tracker = new_tracker() if fate < 0.1 else worker.tracker


def test_a_worker_whose_memory_is_wrong_does_not_hold_up_a_job(make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec(n=2).model_copy(update={"selection": Selection(gate=GATE, keep=500), "cut": Cut(first=4, most=4)})
    rendered = Outcomes([True] * TOTAL, [False] * TOTAL, list(range(TOTAL)))
    stored = Outcomes([True] + [False] * TOTAL, [False] * TOTAL, list(range(TOTAL)))
    store = open_folder(tmp_path)
    tracker = ChoiceTracker(store.shards)
    tracker.add(spec, [rendered.candidate(index) for index in range(4)])
    commit(store, spec, 0, [stored.candidate(index) for index in range(4)])  # another worker was first
    assert not tracker.is_needed(spec, 1)
    assert tracker.is_needed(spec, 1)  # the reconciler has queued the task again


def open_folder(folder: Path) -> Store:
    """Open a store without a memory of earlier reads."""
    folder.mkdir(exist_ok=True)
    return Store(str(folder))


def ticks() -> Iterator[float]:
    """A clock in which much time passes between two looks, so that every search for shards is allowed."""
    now = 0.0
    while True:
        yield now
        now += 0.06


def test_near_the_end_of_a_job_few_candidates_are_expected(make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec(n=12, classes=("a", "b")).model_copy(
        update={
            "archive_version": 3,
            "shares": (2, 1),
            "selection": Selection(gate=GATE, keep=500),
            "cut": Cut(first=9, most=100),
        }
    )
    tracker = ChoiceTracker(open_folder(tmp_path).shards)
    outcomes = Outcomes([True] * TOTAL, [False] * TOTAL, list(range(TOTAL)))
    assert tracker.expected_candidates(spec, 0) == 9  # the whole shard
    assert tracker.expected_candidates(spec, 1) == 36  # the shard before it is unknown, so it is all of the shard
    tracker.add(spec, [outcomes.candidate(index) for index in range(9)])
    # Six of eight a and three of four b are there: the missing two or one of each take one round of three, twice.
    assert tracker.expected_candidates(spec, 1) == 6
    tracker.add(spec, [outcomes.candidate(index) for index in range(9, 12)])
    assert (tracker.expected_candidates(spec, 1), tracker.find_end(spec, 1)) == (0, 12)
    plain = spec.model_copy(update={"selection": None, "id": "y" * 22})
    assert tracker.expected_candidates(plain, 1) == len(plain.shard_indices(1))
