"""The job that a user requests on the command line."""

from dataclasses import dataclass
from pathlib import Path

from pydantic_core import PydanticCustomError

from app.archive_name import archive_name, archive_suffix
from app.client import Client, Model
from app.client.job_parameters import JobParameters
from app.client.responses import ArchiveFields
from app.schemas.class_request import parse_classes

_MANY_IMAGES = 2000
"""Number of rendered images from which a job may be large. Smaller ones take a second, so they need no estimate."""


_POINT_OPTIONS = ("around", "truncation", "between")
"""Options with points. The name of the archive contains their checksum."""


@dataclass(frozen=True)
class NewJob:
    """The options of `imagemill generate` that describe a job. None leaves the choice to the service."""

    options: JobParameters
    """The parameters of the request without the style."""
    style: Path | None
    """Image file whose style the images take."""

    @property
    def suffix(self) -> str:
        """File extension of the archive."""
        return archive_suffix(self.options.get("format") or "png", self.options.get("layout"))

    @property
    def may_be_large(self) -> bool:
        """Whether the job may take so long, or so much space, that its estimate is worth a request."""
        return self.style is not None or self._count() / (self.options.get("keep") or 1) >= _MANY_IMAGES

    def parameters(self, client: Client) -> JobParameters:
        """Upload the style if there is one, and return the parameters of the request."""
        style = None if self.style is None else client.upload_style(self.style)
        return {**self.options, "style": style}

    def expected_name(self, client: Client) -> Path | None:
        """Return the name that the archive will have. None without a seed, and with points.

        The service knows its default model, and the names of models that the user gave by their sha256.
        """
        options = self.options
        if options.get("seed") is None or any(options.get(name) for name in _POINT_OPTIONS):
            return None
        model = next((model for model in client.models() if self._means(model)), None)
        counts = self._class_counts(model) if model is not None and options.get("classes") is not None else None
        fields = {
            "name": options.get("name"),
            # The service will refuse an unknown model.
            "model": model.name if model is not None else options.get("model") or "",
            "n": sum(counts.values()) if counts else options.get("n") or 0,
            "seed": options.get("seed"),
            "class": options.get("class_"),
            "classes": counts,
            "keep": options.get("keep") if options.get("keep") != 1 else None,
            "copies": options.get("copies") or "keep",
            "distinct": options.get("distinct"),
            "start": options.get("start") or 0,
            "format": options.get("format") or "png",
            "layout": options.get("layout") or "imagefolder",
        }
        return Path(archive_name(ArchiveFields.model_validate(fields)))

    def _count(self) -> int:
        """Return the number of images; 0 if the service will refuse the classes."""
        n = self.options.get("n")
        try:
            return n if n is not None else sum(parse_classes(self.options.get("classes")).counts or ())
        except PydanticCustomError:
            return 0

    def _class_counts(self, model: Model) -> dict[str, int]:
        """Return the number of images of each class, in label order. It is empty if the service will refuse them."""
        try:
            request = parse_classes(self.options.get("classes"))
        except PydanticCustomError:
            return {}
        names = [name for name in model.classes if name in request.names]
        if request.counts is not None:
            counts = dict(zip(request.names, request.counts, strict=True))
            return {name: counts[name] for name in names}
        # Images alternate between the classes, from the first one on. A plain job goes on with the sequence.
        options = self.options
        selects = options.get("keep") not in (None, 1) or options.get("copies") == "drop"
        selects = selects or options.get("distinct") is not None
        first = 0 if selects else options.get("start") or 0
        places = [(place - first) % len(names) for place in range(len(names))]
        n = self.options.get("n") or 0
        return {name: (n - place - 1) // len(names) + 1 for name, place in zip(names, places, strict=True)}

    def _means(self, model: Model) -> bool:
        return self.options.get("model") in (model.name, model.sha256) if self.options.get("model") else model.default
