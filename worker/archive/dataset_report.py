"""The report in the card of an archive of version 3: the yield of the selection, the classes, and similar images."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from models.image_hash import count_close_pairs
from worker.archive.candidate_counts import CandidateCounts, count_candidates
from worker.archive.markdown import share_with_interval, table
from worker.contracts.catalog import GateEffect, ModelFacts
from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import BEST_SCORE, COPY_BITS, Selection
from worker.contracts.wilson import wilson_interval

_CLOSE_BITS = 3
"""Two images whose hashes differ in at most this many bits count as a close pair."""
_COMPARED_IMAGES = 4000
"""Number of images that are searched for close pairs. It limits the time of the search."""


def build_report(spec: JobSpec, shards: Sequence[ChosenShard]) -> str:
    """Return the report in Markdown; an empty text for archives of version 1 and 2."""
    if not spec.hashes_images:
        return ""
    facts = spec.facts or ModelFacts(model_sha256=spec.model.sha256)
    counts = None if spec.selection is None else count_candidates(spec, spec.selection, shards)
    sections = [
        _selection_section(spec.selection, counts, facts) if spec.selection and counts else [],
        _class_section(spec, counts, facts) if spec.classes else [],
        _similarity_section(shards, facts),
    ]
    return "".join(f"\n{line}\n" for section in sections for line in section)


def _selection_section(selection: Selection, counts: CandidateCounts, facts: ModelFacts) -> list[str]:
    kept, tried = sum(counts.kept), sum(counts.tried)
    lines = [
        "## Selection",
        "\n".join(selection_rules(selection)),
        f"{kept} of {tried} candidates were kept: {_yield(kept, tried)}. Candidates of complete classes do not count. "
        f"A request with the same parameters and `start={counts.next_index}` goes on after these images.",
    ]
    if selection.keep == BEST_SCORE or not facts.effects:
        return lines
    share = selection.keep / BEST_SCORE
    nearest = min(facts.effects, key=lambda effect: abs(effect.keep - share))
    lines.append(
        "The gate was tried on images that it has not seen. The yield is the share of images that pass the realism "
        f"test of `{facts.judge}`. A gate trades variety (recall) for quality. FD is the Frechet distance to real "
        "images: lower is better. Of the others, higher is better."
    )
    lines.append(effect_table(effect for effect in facts.effects if effect.keep == 1 or effect is nearest))
    return lines


def selection_rules(selection: Selection) -> Iterable[str]:
    """Yield the rules of a selection, one item of a list each."""
    if selection.keep < BEST_SCORE and selection.gate:
        yield (
            f"- `keep={selection.keep / BEST_SCORE:g}`: the score is at least {selection.least_score} of {BEST_SCORE}. "
            f"The quality gate is `{selection.gate}`."
        )
    if selection.drops_copies:
        yield f"- `copies=drop`: the hash differs from that of each training image in more than {COPY_BITS} bits."
    if selection.distinct is not None:
        yield f"- `distinct={selection.distinct}`: the hashes of two images differ in more bits than this."


def effect_table(effects: Iterable[GateEffect]) -> str:
    """Return the effects of a gate as a table."""
    rows = []
    for effect in effects:
        shares = (effect.yield_, effect.precision, effect.density, effect.coverage, effect.recall)
        rows.append(
            (
                f"{effect.keep:g}" if effect.keep < 1 else "1 (no gate)",
                *(f"{share:.3f}" for share in shares),
                f"{effect.fd:.1f}",
            )
        )
    return table(("keep", "yield", "precision", "density", "coverage", "recall", "FD"), rows)


def _class_section(spec: JobSpec, counts: CandidateCounts | None, facts: ModelFacts) -> list[str]:
    """Return a table of the classes of the dataset. It has only columns of known values."""
    classes = spec.classes
    columns = {"class": list(classes), "images": [str(count) for count in spec.quotas()]}
    if len(facts.class_counts) == len(classes):
        columns["training images"] = [str(count) for count in facts.class_counts]
    if len(facts.class_yields) == len(classes):
        columns["yield of the model without a gate"] = [f"{share:.3f}" for share in facts.class_yields]
    if counts is not None:
        columns["tried"] = [str(count) for count in counts.tried]
        columns["share that was kept"] = [_yield(*pair) for pair in zip(counts.kept, counts.tried, strict=True)]
    rows = zip(*columns.values(), strict=True)
    asked = [row for row, share in zip(rows, spec.class_shares, strict=True) if share]
    return ["## Classes", table(tuple(columns), asked)]


def _similarity_section(shards: Iterable[ChosenShard], facts: ModelFacts) -> list[str]:
    found = (int(shard.index.images.hashes[row], 16) for shard in shards for _, row in shard.images())
    hashes = np.fromiter(islice(found, _COMPARED_IMAGES), dtype=np.uint64)
    close, pairs = count_close_pairs(hashes, _CLOSE_BITS), len(hashes) * (len(hashes) - 1) // 2
    text = (
        f"Of the {pairs} pairs of the first {len(hashes)} images, {close} have hashes (`dhash` in the metadata) that "
        f"differ in at most {_CLOSE_BITS} of 64 bits."
    )
    if facts.close_real_pairs is not None:
        text += f" As many training images have {pairs * facts.close_real_pairs:.3g} such pairs on average."
    return ["## Similar images", text]


def _yield(kept: int, tried: int) -> str:
    return share_with_interval(kept / max(1, tried), *wilson_interval(kept, tried))
