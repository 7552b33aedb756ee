"""The result of `imagemill gate`: tables for people, JSON for programs."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from models import atomic_file
from models.quality_gate import GateEffect, GateHeader
from training.metrics import vgg19

_COLUMNS = ("yield", "precision", "density", "coverage", "recall", "fd")
_WEAK_SPEARMAN = 0.1
"""Rank correlation below which a gate is of no use. Those of the shipped gates are above 0.3."""


def tables(header: GateHeader) -> list[Table]:
    """Return a table of the effects for each feature network that judged."""
    judged = {header.extractor: header.effects, vgg19.NAME: header.second_judge}
    return [_table(name, effects) for name, effects in judged.items() if effects]


def lines(header: GateHeader) -> list[str]:
    """Return the other figures, one sentence per line."""
    names = header.classes or ("all images",)
    yields = ", ".join(f"{name} {share:.2f}" for name, share in zip(names, header.class_yields, strict=True))
    agreement = header.agreement
    figures = [
        f"images that pass for real without the gate: {yields}",
        f"rank correlation with the realism: {agreement.spearman:.2f} (of the teacher: {agreement.ceiling:.2f}); "
        f"AUC of passing: {agreement.auc:.2f}",
        f"pairs of real images that differ in at most 3 bits of their hashes: {header.close_real_pairs:.2g} of all",
    ]
    if agreement.spearman < _WEAK_SPEARMAN:
        figures.append(
            "warning: the gate ranks hardly better than chance; give more --steps, more --images or more data"
        )
    return figures


def write(path: Path, header: GateHeader) -> None:
    """Write the header of a gate as JSON, whole or not at all."""
    atomic_file.write(path, (header.model_dump_json(indent=2) + "\n").encode())


def _table(judge: str, effects: Sequence[GateEffect]) -> Table:
    table = Table("keep", *_COLUMNS, box=None, pad_edge=False, title=f"judged by {judge}", title_justify="left")
    for effect in effects:
        values = effect.model_dump()
        table.add_row(f"{effect.keep:g}", *(f"{values[column]:.4g}" for column in _COLUMNS))
    return table
