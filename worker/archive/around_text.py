"""The words of a dataset's card about a dataset around a point, on a walk, or with a truncation."""

from worker.contracts.around import Around
from worker.contracts.points import format_atoms, format_named, format_number
from worker.contracts.walk import Walk

_AROUND = """The images lie around one point of the model's latents, so they are more alike than images of the
whole model. Image `i` has the latent `truncation * (sqrt(1 - spread^2) * point + spread * z(seed, i))`
and the shift along the sliders. The metadata has the address of each image in `point`."""

_TRUNCATED = """All latents are multiplied by the truncation. Below 1, the images are more alike and more typical than
those of the whole model. The metadata has the address of each image in `point`."""


_WALK = """The images are the frames of an animation, in the order of their indices. They lie on a walk through points
of the model's latents: on a great circle between each two. The metadata has the address of each frame in `point`.
Frames of a walk have no labels, because their classes are mixtures."""


def walk_rows(walk: Walk) -> list[tuple[str, str]]:
    """Return the rows about a walk in the table of a dataset."""
    points = [(f"point {number}", f"`{point.query}`") for number, point in enumerate(walk.points, start=1)]
    return [*points, ("loop", "yes" if walk.loop else "no")]


def around_rows(around: Around) -> list[tuple[str, str]]:
    """Return the rows about a point in the table of a dataset."""
    rows = [
        ("point", f"`{format_atoms(around.at)}`" if around.at else ""),
        ("spread", format_number(around.spread) if around.at else ""),
        ("shift", f"`{format_named(around.shift)}`" if around.shift else ""),
        ("sliders sha256", f"`{around.sliders}`" if around.sliders else ""),
        ("truncation", format_number(around.truncation)),
    ]
    return [(name, text) for name, text in rows if text]


def placement_sentence(placement: Around | Walk) -> str:
    """Return the paragraph that says how the latents were chosen."""
    if isinstance(placement, Walk):
        return _WALK
    return _AROUND if placement.at else _TRUNCATED
