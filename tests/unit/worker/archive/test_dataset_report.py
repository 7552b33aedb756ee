import tracemalloc

import pytest

from tests.unit.conftest import MakeSpec
from tests.unit.worker.archive.facts import FACTS, GATE
from worker.archive.dataset_card import build_card
from worker.archive.dataset_report import build_report
from worker.contracts.choice import ChosenShard
from worker.contracts.cut import Cut
from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Piece
from worker.contracts.selection import Selection
from worker.contracts.store.archive_index import Candidates, ImageTable, ShardIndex


def gated_spec(make_spec: MakeSpec, selection: Selection | None) -> JobSpec:
    return make_spec(n=3, classes=("a", "b|c", "d")).model_copy(
        update={
            "archive_version": 3,
            "shares": (2, 1, 0),
            "selection": selection,
            "facts": FACTS,
            "cut": Cut(first=20, most=20),
        }
    )


def shards_of(stored: tuple[int, ...], hashes: tuple[int, ...], count: int | None) -> list[ChosenShard]:
    table = ImageTable(
        offsets=tuple(range(len(stored))),
        sizes=(1,) * len(stored),
        crc32s=(0,) * len(stored),
        sha256s=("0" * 64,) * len(stored),
        hashes=tuple(f"{value:016x}" for value in hashes),
    )
    candidates = None if count is None else Candidates(count=count, stored=stored, scores=(600,) * count)
    index = ShardIndex(data="0", size=len(stored), images=table, candidates=candidates)
    piece = Piece(0, "j", 0, range(20))
    return [ChosenShard(piece, index, (range(len(stored)),))]


def test_the_report_tells_what_the_selection_kept(make_spec: MakeSpec) -> None:
    spec = gated_spec(make_spec, Selection(gate=GATE, keep=400, drops_copies=True, distinct=2))
    # The labels are a, b|c, a, a, b|c. The first two candidates are rejected, so 3 of 5 are kept.
    report = build_report(spec, shards_of((2, 3, 4), (1, 0xF << 40, 0xFF << 8), 5))
    assert "3 of 5 candidates were kept: 60.0 % (95 % interval 23.1 to 88.2 %)" in report
    assert "`start=5` goes on" in report
    assert f"`keep=0.4`: the score is at least 600 of 1000. The quality gate is `{GATE}`." in report
    assert "`copies=drop`" in report
    assert "`distinct=2`" in report
    assert "| 1 (no gate) | 0.712 |" in report
    assert "| 0.5 | 0.823 |" in report  # the nearest share
    assert "0.934" not in report
    assert "| a | 2 | 120 | 0.710 | 3 | 66.7 % (95 % interval 20.8 to 93.9 %) |" in report
    assert "| b&#124;c | 1 | 80 | 0.610 | 2 | 50.0 %" in report
    assert "| d |" not in report


def test_the_card_says_that_a_larger_selection_may_have_other_images_between(make_spec: MakeSpec) -> None:
    spec = gated_spec(make_spec, Selection(gate=GATE, keep=400))
    card = build_card(spec, shards_of((2, 3, 4), (1, 2, 3), 5))
    assert "(model sha256, seed, i, class). A larger dataset of the same request may have other images between" in card
    assert "begins with these" not in card


def test_the_report_counts_similar_images(make_spec: MakeSpec) -> None:
    report = build_report(gated_spec(make_spec, None), shards_of((0, 1, 2), (0b0, 0b111, 0b111100), None))
    assert "Of the 3 pairs of the first 3 images, 1 have hashes" in report
    assert "As many training images have 0.3 such pairs" in report
    assert "## Selection" not in report
    assert "| a | 2 | 120 | 0.710 |\n" in report


def test_equal_images_take_no_more_memory_than_different_ones(make_spec: MakeSpec) -> None:
    shards = shards_of(tuple(range(4000)), (7,) * 4000, None)  # a collapsed model has millions of pairs
    spec = gated_spec(make_spec, None)
    tracemalloc.start()
    try:
        report = build_report(spec, shards)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "Of the 7998000 pairs of the first 4000 images, 7998000 have hashes" in report
    assert peak < 10_000_000


@pytest.mark.parametrize("layout", [1, 2])
def test_an_older_layout_has_no_report(make_spec: MakeSpec, layout: int) -> None:
    assert build_report(make_spec(n=3).model_copy(update={"archive_version": layout}), []) == ""


def test_without_facts_the_report_tells_what_is_known(make_spec: MakeSpec) -> None:
    spec = gated_spec(make_spec, Selection(distinct=0)).model_copy(update={"facts": None})
    report = build_report(spec, shards_of((0, 1, 2), (0, 1, 3), 3))
    assert "quality gate" not in report
    assert "training images" not in report
    assert "3 of 3 candidates were kept" in report
