from pathlib import Path
from random import Random

import pytest

from tests.unit.conftest import spec_of
from tests.unit.selections import candidate_of, commit
from worker.archive.candidate_counts import count_candidates
from worker.contracts.cut import Cut
from worker.contracts.selection import Selection
from worker.contracts.store.store import Store
from worker.rendering.candidate import Verdict

CLASSES = ("a", "b", "c")


@pytest.mark.parametrize("seed", range(20))
def test_the_counts_are_those_of_the_choice(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    selection = Selection(gate="9" * 64, keep=500, drops_copies=True, distinct=random.choice([None, 2]))
    changes = {
        "archive_version": 4,
        "first": random.randint(0, 9),
        "shares": random.choice([(), (5, 1, 0), (1, 1, 3)]),
        "selection": selection,
        "cut": Cut(first=random.randint(1, 9), most=40),
    }
    spec, store = spec_of(random.randint(1, 30), random.choice([(), CLASSES])).model_copy(update=changes), None
    if not spec.model.classes:
        spec = spec.model_copy(update={"shares": ()})
    store = Store(str(tmp_path))
    verdicts = dict[int, tuple[Verdict, int]]()
    for shard in spec.shards:
        candidates = []
        for index in spec.shard_indices(shard):
            score = random.choice([300, 499, 500, 900])
            verdict = Verdict(score, score >= 500 and random.random() < 0.2)
            verdicts[index] = verdict, random.randrange(1 << 12) << 20
            candidates.append(candidate_of(index, *verdicts[index], verdict.is_accepted(selection)))
        commit(store, spec, shard, candidates)
        if store.choices.is_complete(spec, store.shards.committed(spec.id)):
            break
    counts = count_candidates(spec, selection, list(store.choices.chosen_shards(spec)))
    choice = store.choices.current(spec)
    assert (counts.kept, counts.tried, counts.next_index) == (
        tuple(choice.kept),
        tuple(choice.tried),
        choice.next_index,
    )
    labels = dict(zip(verdicts, spec.labels(verdicts) or [0] * len(verdicts), strict=True))
    tried = [verdict for index, (verdict, _) in verdicts.items() if index < choice.ends[labels[index]]]
    assert counts.below_score == sum(verdict.score is not None and verdict.score < 500 for verdict in tried)
    assert counts.copies == sum(verdict.is_copy for verdict in tried)
    assert counts.near_duplicates >= 0
    assert (counts.near_duplicates == 0) or selection.distinct is not None
