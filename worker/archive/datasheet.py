"""The card of a dataset with a report: README.md, in the sections of Datasheets for Datasets.

Source: Gebru et al. 2021, Datasheets for Datasets, doi:10.1145/3458723.
"""

import json
import re
from collections.abc import Sequence

from worker.archive import datasheet_text
from worker.archive.around_text import around_rows, placement_sentence, walk_rows
from worker.archive.dataset_report import effect_table, selection_rules
from worker.archive.markdown import share_with_interval, table
from worker.archive.reading_examples import loader_yaml, reading_example
from worker.archive.report import ClassImages, Report
from worker.contracts.jobs import JobSpec
from worker.contracts.splits import split_indices
from worker.contracts.wilson import wilson_interval

_LISTED_INDICES = 40
"""Largest number of excluded images of a class that the card lists."""


def write_datasheet(spec: JobSpec, report: Report) -> str:
    """Return the card in Markdown with YAML front matter."""
    is_tar = spec.packing == "webdataset"
    model, sections = (
        report.model,
        (
            _composition(spec, report),
            _collection(spec, report),
            _labelling(report),
            _uses(report, reading_example(spec)),
            _distribution(report),
            _maintenance(spec, report),
        ),
    )
    head = datasheet_text.HEAD.format(
        licence_id=_identifier(model.licence),
        quoted_licence=json.dumps(model.licence),  # JSON strings are valid YAML, whatever the text holds
        n=report.images.kept,
        model=model.name,
        # JSON is also valid YAML.
        class_names=f"class_names: {json.dumps(model.classes, ensure_ascii=False)}\n" if model.classes else "",
        loader=loader_yaml(spec),
        source=report.digital_source_type,
        grid="grid" if is_tar else "grid.png",  # a tar has no suffixes on files that are no samples
        report="report" if is_tar else "report.json",
        order=" The classes follow each other in the order of the table below."
        if len(report.images.by_class) > 1
        else "",
    )
    return "\n\n".join([head, datasheet_text.MOTIVATION, *sections]) + "\n"


def _identifier(licence: str) -> str:
    """Return a licence as the Hugging Face hub demands: lowercase letters, digits, periods and hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", licence.lower()).strip("-.") or "unknown"


def _composition(spec: JobSpec, report: Report) -> str:
    model, request, indices = report.model, report.request, report.indices
    rows = [
        ("images", f"{report.images.kept}, {model.resolution} x {model.resolution} px, RGB, {_format(report)}"),
        ("indices", f"{indices.first} to {indices.last}"),
        ("model", f"`{model.name}`"),
        ("model sha256", f"`{model.sha256}`"),
        ("seed", str(request.seed)),
        ("computed in", report.numerics),
    ]
    if request.style is not None:
        style = request.style
        rows.append(("style", f"`{style.id}`, {style.mode}, strength {style.strength:g}, {style.steps} steps"))
    if request.around is not None:
        rows += around_rows(request.around)
    if request.between is not None:
        rows += walk_rows(request.between)
    split = datasheet_text.SPLIT.format(split=spec.split) if spec.split else datasheet_text.NO_SPLIT
    parts = [datasheet_text.COMPOSITION.format(split=split), table(("", ""), rows)]
    if report.images.by_class:
        parts += [datasheet_text.CLASSES, _class_table(report)]
        if any(each.model_yield is not None for each in report.images.by_class.values()):
            judge = f" of `{model.judge}`" if model.judge else ""
            parts.append(datasheet_text.CLASS_YIELDS.format(judge=judge))
    return "\n\n".join([*parts, datasheet_text.QUALITY, *_quality(report), *_memorisation(report)])


def _class_table(report: Report) -> str:
    """Return a table of the classes. It has only columns of known values."""
    names, found = list(report.images.by_class), list(report.images.by_class.values())
    columns = {
        "class": [f"{name} ({report.model.classes.index(name)})" for name in names],
        "images": [str(each.kept) for each in found],
        "tried": [str(each.tried) for each in found] if report.yield_ else [],
        "share that was kept": [_share(each) for each in found] if report.yield_ else [],
        "training images": [str(each.training_images) for each in found if each.training_images is not None],
        "yield of the model without a gate": [
            f"{each.model_yield:.3f}" for each in found if each.model_yield is not None
        ],
    }
    known = {head: column for head, column in columns.items() if column}
    return table(tuple(known), zip(*known.values(), strict=True))


def _share(images: ClassImages) -> str:
    low, high = wilson_interval(images.kept, images.tried)
    return share_with_interval(images.kept / images.tried if images.tried else 0.0, low, high)


def _quality(report: Report) -> list[str]:
    parts = []
    if report.model.metrics:
        rows = [(name, f"{value:.4g}", _meaning(name)) for name, value in report.model.metrics.items()]
        parts += [datasheet_text.METRICS, table(("figure", report.model.name, "meaning"), rows)]
    gate = report.gate
    if gate is not None and gate.nearest is not None and report.request.keep is not None:
        effects = [effect for effect in (gate.without_gate, gate.nearest) if effect is not None]
        parts += [datasheet_text.GATE_EFFECT.format(judge=report.model.judge), effect_table(dict.fromkeys(effects))]
    if report.scores is not None:
        parts.append(datasheet_text.SCORES.format(**dict(report.scores)))
    return parts or [datasheet_text.NO_FIGURES]


def _meaning(metric: str) -> str:
    """Return the meaning of a figure. Its name begins with the figure and ends with the feature network."""
    found = (text for name, text in datasheet_text.MEANINGS.items() if f"{metric}_".startswith(f"{name}_"))
    return next(found, "")


def _memorisation(report: Report) -> list[str]:
    similar = report.duplicates
    text = datasheet_text.SIMILAR.format(**dict(similar))
    if similar.expected_close_pairs_of_training_images is not None:
        text += datasheet_text.SIMILAR_REALS.format(expected=similar.expected_close_pairs_of_training_images)
    if report.copies is None:
        return [datasheet_text.MEMORISATION, f"{text}\n\n{datasheet_text.COPIES_KEPT}"]
    return [datasheet_text.MEMORISATION, f"{text}\n\n{datasheet_text.COPIES_DROPPED.format(**dict(report.copies))}"]


def _collection(spec: JobSpec, report: Report) -> str:
    model = report.model
    parts = [datasheet_text.COLLECTION.format(data=model.training_data, licence=model.licence)]
    parts += [placement_sentence(spec.placement)] if spec.placement is not None else []
    if spec.selection is None or report.yield_ is None or report.rejected is None:
        kept_all = [] if report.curation else [datasheet_text.KEPT_ALL]
        return "\n\n".join([*parts, *kept_all, *_curation(report)])
    counts = {"kept": report.images.kept, "tried": report.images.tried, **dict(report.rejected)}
    kept = share_with_interval(report.yield_.value, report.yield_.low, report.yield_.high)
    rules = "\n".join(selection_rules(spec.selection))
    selected = datasheet_text.SELECTED.format(share=kept, **counts)
    return "\n\n".join([*parts, *([rules] if rules else []), selected, *_curation(report)])


def _curation(report: Report) -> list[str]:
    """Return the images that the user has thrown out, and their replacements. Long lists are only in the report."""
    curation = report.curation
    if curation is None:
        return []
    parts = curation.by_class or {"all": curation}
    rows = [(name, _index_list(each.excluded), _index_list(each.replacements)) for name, each in parts.items()]
    text = datasheet_text.CURATED.format(count=len(curation.excluded))
    return [text, table(("class", "thrown out", "in their place"), rows)]


def _index_list(indices: Sequence[int]) -> str:
    shown = ", ".join(map(str, indices[:_LISTED_INDICES]))
    more = len(indices) - _LISTED_INDICES
    return f"{shown} and {more} more, in the report" if more > 0 else shown


def _labelling(report: Report) -> str:
    encoded = datasheet_text.ENCODINGS[report.request.format]
    no_labels = datasheet_text.NO_LABELS if report.request.between is None else datasheet_text.NO_LABELS_OF_FRAMES
    labels = datasheet_text.LABELS if report.model.classes else no_labels
    return datasheet_text.PREPROCESSING.format(encoded=encoded, labels=labels)


def _uses(report: Report, reading: str) -> str:
    warnings = [datasheet_text.NOT_FOR, *_warnings(report)]
    return datasheet_text.USES.format(reading=reading, warnings="\n".join(warnings))


def _warnings(report: Report) -> list[str]:
    """Return what the figures of the model say about the limits of its images."""
    found = []
    coverage = next((v for name, v in report.model.metrics.items() if name.startswith("coverage_")), None)
    if coverage is not None:
        found.append(datasheet_text.LOW_VARIETY.format(share=coverage))
    effect = report.gate.nearest if report.gate else None
    if effect is not None:
        found.append(
            datasheet_text.NOT_ALL_REAL.format(share=effect.yield_, keep=effect.keep, judge=report.model.judge)
        )
    return found


def _distribution(report: Report) -> str:
    growth = datasheet_text.GROWTH if report.yield_ is None else datasheet_text.GROWTH_OF_A_SELECTION
    growth = growth if report.request.between is None else datasheet_text.GROWTH_OF_A_WALK
    parts = ["model sha256", "seed", "i", *(["class"] if report.model.classes else [])]
    parts += ["style"] if report.request.style is not None else []
    parts += ["point"] if report.request.placement is not None else []
    return datasheet_text.DISTRIBUTION.format(
        licence=report.model.licence,
        address=", ".join(parts),
        growth=growth,
        marks=datasheet_text.NOT_MARKED if report.request.marking == "none" else datasheet_text.MARKED,
        source=report.digital_source_type,
    )


def _maintenance(spec: JobSpec, report: Report) -> str:
    # The parameter `start` counts from the beginning of the split.
    start = report.indices.next_start - split_indices(spec.split).start
    growth = datasheet_text.MORE_IMAGES.format(next_start=start) if report.request.between is None else ""
    return datasheet_text.MAINTENANCE.format(growth=growth)


def _format(report: Report) -> str:
    return "raw pixels" if report.request.format == "npz" else report.request.format.upper()
