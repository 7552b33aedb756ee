"""The job that a user requests on the command line."""

from dataclasses import dataclass
from pathlib import Path

from pydantic_core import PydanticCustomError

from app.archive_name import archive_name, archive_suffix
from app.client import Client, Model
from app.client.job_parameters import JobParameters
from app.client.options import Copies, Format, Layout, StyleMode
from app.client.responses import ArchiveFields
from app.schemas.class_request import parse_classes

_MANY_IMAGES = 2000
"""Number of rendered images from which a job may be large. Smaller ones take a second, so they need no estimate."""


@dataclass(frozen=True)
class NewJob:
    """The options of `imagemill generate` that describe a job. None leaves the choice to the service."""

    n: int | None
    """None if the classes have counts."""
    model: str | None
    class_label: str | None
    classes: str | None
    """The text of the parameter: a:100,b:50 or a,b."""
    keep: float | None
    copies: Copies | None
    distinct: int | None
    seed: int | None
    start: int | None
    format: Format | None
    layout: Layout | None
    style: Path | None
    """Image file whose style the images take."""
    style_mode: StyleMode | None
    style_strength: float | None
    style_steps: int | None
    ttl_hours: int | None
    name: str | None = None

    @property
    def suffix(self) -> str:
        """File extension of the archive."""
        return archive_suffix(self.format or "png", self.layout)

    @property
    def may_be_large(self) -> bool:
        """Whether the job may take so long, or so much space, that its estimate is worth a request."""
        return self.style is not None or self._count() / (self.keep or 1) >= _MANY_IMAGES

    def parameters(self, client: Client) -> JobParameters:
        """Upload the style if there is one, and return the parameters of the request."""
        style = None if self.style is None else client.upload_style(self.style)
        return JobParameters(
            n=self.n,
            model=self.model,
            class_=self.class_label,
            classes=self.classes,
            keep=self.keep,
            copies=self.copies,
            distinct=self.distinct,
            seed=self.seed,
            start=self.start,
            format=self.format,
            layout=self.layout,
            style=style,
            style_mode=self.style_mode,
            style_strength=self.style_strength,
            style_steps=self.style_steps,
            name=self.name,
            ttl_hours=self.ttl_hours,
        )

    def expected_name(self, client: Client) -> Path | None:
        """Return the name that the archive will have. None without a seed, since a random one gives a new name.

        The service knows its default model, and the names of models that the user gave by their sha256.
        """
        if self.seed is None:
            return None
        model = next((model for model in client.models() if self._means(model)), None)
        counts = self._class_counts(model) if model is not None and self.classes is not None else None
        fields = {
            "name": self.name,
            "model": model.name if model is not None else self.model or "",  # the service will refuse an unknown model
            "n": sum(counts.values()) if counts else self.n or 0,
            "seed": self.seed,
            "class": self.class_label,
            "classes": counts,
            "keep": self.keep if self.keep != 1 else None,
            "copies": self.copies or "keep",
            "distinct": self.distinct,
            "start": self.start or 0,
            "format": self.format or "png",
            "layout": self.layout or "imagefolder",
        }
        return Path(archive_name(ArchiveFields.model_validate(fields)))

    def _count(self) -> int:
        """Return the number of images; 0 if the service will refuse the classes."""
        try:
            return self.n if self.n is not None else sum(parse_classes(self.classes).counts or ())
        except PydanticCustomError:
            return 0

    def _class_counts(self, model: Model) -> dict[str, int]:
        """Return the number of images of each class, in label order. It is empty if the service will refuse them."""
        try:
            request = parse_classes(self.classes)
        except PydanticCustomError:
            return {}
        names = [name for name in model.classes if name in request.names]
        if request.counts is not None:
            counts = dict(zip(request.names, request.counts, strict=True))
            return {name: counts[name] for name in names}
        # Images alternate between the classes, from the first one on. A plain job goes on with the sequence.
        selects = self.keep not in (None, 1) or self.copies == "drop" or self.distinct is not None
        first = 0 if selects else self.start or 0
        places = [(place - first) % len(names) for place in range(len(names))]
        n = self.n or 0
        return {name: (n - place - 1) // len(names) + 1 for name, place in zip(names, places, strict=True)}

    def _means(self, model: Model) -> bool:
        return self.model in (model.name, model.sha256) if self.model else model.default
