"""Renders an audit as one HTML page."""

from collections.abc import Iterable, Iterator
from html import escape

from training.audit import pictures
from training.audit.audit import Audit
from training.audit.class_figures import ClassFigures
from training.audit.explanations import FIGURES, NONE, Explanation, name_of, show, show_interval
from training.audit.neighbour_pairs import NeighbourPair
from training.audit.page_template import PAGE
from training.audit.report import ArchiveReport
from training.audit.similarity import CLOSE_BITS, COPY_BITS
from training.metrics import report as reports

_TILES = ("yield", "fd", "precision", "coverage", "copies")
_CLASS_FIGURES = ("fd", "precision", "recall", "coverage")


class _Figure:
    """One figure of a report, with the same of real images."""

    def __init__(self, report: ArchiveReport, key: str) -> None:
        self.explanation: Explanation = FIGURES[name_of(key, report.provenance.extractor)]
        self.value, self.real = report.figures[key], report.floor[key]
        self.interval = report.intervals.get(key)

    def show(self, value: float) -> str:
        """Format a value of this figure."""
        return show(value, self.explanation.kind)

    @property
    def text(self) -> str:
        """The value in text."""
        return self.show(self.value)

    @property
    def real_text(self) -> str:
        """The value of real images in text."""
        return self.show(self.real)

    @property
    def interval_text(self) -> str:
        """The interval in text; empty if it is unknown."""
        return show_interval(self.interval, self.explanation.kind)


def render(audit: Audit) -> str:
    """Return the page. It contains its pictures, and needs no other file and no network."""
    report = audit.report
    found = {name_of(key, report.provenance.extractor): _Figure(report, key) for key in report.figures}
    of = report.provenance
    return PAGE.substitute(
        title=escape(report.model),
        subtitle=escape(f"{of.fakes:,} images, measured against {of.dataset}: {report.against}"),
        summary=escape(_summary(found)),
        tiles="".join(_tiles(report, found)),
        notes=_notes(report.notes),
        figures="".join(_figure_row(found[name]) for name in FIGURES if name in found),
        classes=_class_section(report, found),
        nearest="".join(map(_pair, audit.nearest)),
        random="".join(map(_pair, audit.random)),
        similar="".join(_similar_rows(report)),
        saturation="".join(_row((f"{each.n:,}", *_shares(each.share, each.reals))) for each in report.saturation),
        conditions="".join(f"<li>{escape(line)}</li>" for line in _conditions(report)),
    )


def _summary(found: dict[str, _Figure]) -> str:
    passes, coverage, copies = found["yield"], found["coverage"], found["copies"]
    return (
        f"{passes.text} of the images pass for real one by one (real images: {passes.real_text}). They come near "
        f"{coverage.text} of the real images (other real images: {coverage.real_text}). {copies.text} are nearer to a "
        f"training image than real images usually are (real images: {copies.real_text})."
    )


def _tiles(report: ArchiveReport, found: dict[str, _Figure]) -> Iterator[str]:
    classes = f"{len(report.classes)} classes" if report.classes else "no classes"
    yield _tile("Images", f"{report.provenance.fakes:,}", classes)
    for name in _TILES:
        yield _tile(found[name].explanation.name, found[name].text, f"real: {found[name].real_text}")


def _tile(name: str, value: str, below: str) -> str:
    return f'<div class="tile"><span>{name}</span><b>{value}</b><span>{below}</span></div>'


def _notes(notes: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _figure_row(figure: _Figure) -> str:
    name, sentence, kind = figure.explanation
    bar = _bar(figure.value, figure.real) if kind == "share" else ""
    return (
        f'<tr><td class="words">{name}<small>{sentence}</small></td>'
        f'<td data-head="This dataset">{figure.text}{bar}</td>'
        f'<td data-head="95 % interval">{figure.interval_text}</td>'
        f'<td data-head="Real images">{figure.real_text}</td></tr>'
    )


def _bar(value: float, real: float) -> str:
    width, place = (f"{100 * min(1.0, max(0.0, share)):.1f}%" for share in (value, real))
    return f'<span class="bar"><i style="width:{width}"></i><u style="left:{place}"></u></span>'


def _class_section(report: ArchiveReport, found: dict[str, _Figure]) -> str:
    if not report.classes:
        return ""
    heads = ("Class", "Images", "Yield", "Copies", "Label agreement", *(FIGURES[name].name for name in _CLASS_FIGURES))
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(_row(_class_cells(each)) for each in report.classes)
    agreement = found["label_agreement"].text if "label_agreement" in found else NONE
    labelled = sum(each.images for each in report.classes)
    whole = ("All", f"{labelled + report.unlabelled:,}", found["yield"].text, found["copies"].text, agreement)
    foot = _row((*whole, *(_with_real(found[name].text, found[name].real_text) for name in _CLASS_FIGURES)))
    return (
        "<h2>Classes</h2><p>Small print: the yield's 95 % interval, and the same figure of real images of the class. "
        "Distances of few images are large, so compare them with those of real images.</p>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        f"<tfoot>{foot}</tfoot></table></div>"
    )


def _class_cells(each: ClassFigures) -> Iterator[str]:
    yield escape(each.name)
    yield f"{each.images:,}"
    yield f"{show(each.yield_share, 'share')}<small>{show_interval(each.yield_interval, 'share')}</small>"
    yield show(each.copies, "share")
    yield show(each.label_agreement, "share")
    for name in _CLASS_FIGURES:
        kind = FIGURES[name].kind
        value, real = (None if of is None else getattr(of, name) for of in (each.likeness, each.floor))
        yield _with_real(show(value, kind), show(real, kind)) if value is not None else f"{NONE}<small>too few</small>"


def _with_real(value: str, real: str) -> str:
    return f"{value}<small>real {real}</small>"


def _pair(pair: NeighbourPair) -> str:
    of = escape("/".join(pair.name.split("/")[-2:]), quote=True)
    mark = ' class="copy"' if pair.is_copy else ""
    return (
        f'<figure><div><img src="{pictures.data_url(pair.image)}" alt="{of}">'
        f'<img src="{pictures.data_url(pair.real)}" alt="The nearest training image of {of}"></div>'
        f"<figcaption><b{mark}>{pair.ratio:.2f}{' copy' if pair.is_copy else ''}</b><br>{of}</figcaption></figure>"
    )


def _similar_rows(report: ArchiveReport) -> Iterator[str]:
    similar = report.similarity
    yield _row(
        (
            f"Pairs whose hashes differ in at most {CLOSE_BITS} of 64 bits, among {similar.compared:,} images",
            f"{similar.close_pairs:,}",
            f"{similar.close_real_pairs:,}",
        )
    )
    yield _row(
        (
            f"Images whose hash differs from that of a training image in at most {COPY_BITS} bits",
            *_shares(similar.hash_copies, similar.hash_copies_of_reals),
        )
    )
    yield _row(("Images with exactly the pixels of another", f"{similar.identical:,}", ""))


def _shares(value: float, real: float | None) -> tuple[str, str]:
    return show(value, "share"), show(real, "share")


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _conditions(report: ArchiveReport) -> Iterator[str]:
    yield from (line for line in reports.lines(report) if not line.startswith("note: "))
    yield from (f"class {each.name}: {each.note}" for each in report.classes if each.note)
