"""The words of a dataset's card about a dataset around a point, or with a truncation."""

from worker.contracts.around import Around
from worker.contracts.points import format_atoms, format_named, format_number

_AROUND = """The images lie around one point of the model's latents, so they are more alike than images of the
whole model. Image `i` has the latent `truncation * (sqrt(1 - spread^2) * point + spread * z(seed, i))`
and the shift along the sliders. The metadata has the address of each image in `point`."""

_TRUNCATED = """All latents are multiplied by the truncation. Below 1, the images are more alike and more typical than
those of the whole model. The metadata has the address of each image in `point`."""


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


def around_sentence(around: Around) -> str:
    """Return the paragraph that says how the latents were chosen."""
    return _AROUND if around.at else _TRUNCATED
