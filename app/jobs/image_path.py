"""The path of the endpoint that renders an image of a job by its address."""

from urllib.parse import quote, urlencode

from app.path_prefix import add_prefix
from worker.contracts.formats import SUFFIXES
from worker.contracts.jobs import JobSpec


def address_path(spec: JobSpec, index: int) -> str:
    """Return the path with the class and the style of an image. An image of arrays has the address of a PNG."""
    parameters: dict[str, str | int | float] = {}
    label, suffix = spec.class_name(index), "png" if spec.format == "npz" else SUFFIXES[spec.format]
    if spec.placement is not None:
        if spec.style is not None:  # no endpoint styles a point
            return add_prefix(f"/jobs/{spec.id}/images/{index}.{suffix}")
        point = spec.placement.point(spec.seed, index, label)
        return add_prefix(f"/images/{spec.model.sha256}/at.{suffix}?{point.query}")
    if label is not None:
        parameters["class"] = label
    if (style := spec.style) is not None:
        parameters |= {"style": style.id, "style_mode": style.mode}
        parameters |= {"style_strength": style.strength, "style_steps": style.steps}
    query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
    return add_prefix(f"/images/{spec.model.sha256}/{spec.seed}/{index}.{suffix}{query}")
