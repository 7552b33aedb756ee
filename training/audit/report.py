"""The result of an audit: tables and sentences for people, JSON for programs."""

from collections.abc import Iterator

from rich.table import Table

from training.audit.class_figures import ClassFigures
from training.audit.saturation import Saturation
from training.audit.similarity import CLOSE_BITS, COPY_BITS, Similarity
from training.metrics.report import Report


class ArchiveReport(Report):
    """The figures of a dataset that was downloaded, overall and per class."""

    found: int
    """Number of images in the archive."""
    resized: int
    """Number of images that had another size than the real ones."""
    unusable: int
    unlabelled: int
    """Number of images without a known class, where the real images have classes."""
    classes: tuple[ClassFigures, ...]
    similarity: Similarity
    saturation: tuple[Saturation, ...]


def class_table(report: ArchiveReport) -> Table:
    """Return a table of the classes. Figures of real images stand in parentheses."""
    heads = ("images", "yield", "95%", "copies", "labels", "FD (reals)", "coverage (reals)")
    rows = Table("class", *heads, box=None, pad_edge=False, collapse_padding=True)
    for each in report.classes:
        rows.add_row(each.name, f"{each.images:,}", *_shares(each), *_likeness(each))
    return rows


def lines(report: ArchiveReport) -> Iterator[str]:
    """Yield the findings about similar images, one sentence per line."""
    similar = report.similarity
    yield (
        f"similar: {similar.close_pairs:,} pairs among {similar.compared:,} images have hashes that differ in at most "
        f"{CLOSE_BITS} of 64 bits; {similar.close_real_pairs:,} pairs among as many real images"
    )
    yield f"identical: {similar.identical:,} images have exactly the pixels of another"
    yield (
        f"copies by hash: {similar.hash_copies:.4g} of the images are within {COPY_BITS} bits of a training image; "
        f"{similar.hash_copies_of_reals:.4g} of real images"
    )
    for each in report.saturation:
        reals = "" if each.reals is None else f"; {each.reals:.4g} of as many real images"
        yield f"saturation at {each.n:,}: {each.share:.4g} of the images nearly repeat another one{reals}"
    yield from (f"class {each.name}: {each.note}" for each in report.classes if each.note)


def _shares(each: ClassFigures) -> tuple[str, ...]:
    interval = "" if each.yield_interval is None else "{:.2f}-{:.2f}".format(*each.yield_interval)
    return _number(each.yield_share), interval, _number(each.copies), _number(each.label_agreement)


def _likeness(each: ClassFigures) -> tuple[str, ...]:
    if each.likeness is None or each.floor is None:
        return "-", "-"
    found, real = each.likeness, each.floor
    return f"{found.fd:.3g} ({real.fd:.3g})", f"{found.coverage:.2f} ({real.coverage:.2f})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
