"""The job that a user requests on the command line."""

from dataclasses import dataclass
from pathlib import Path

from app.archive_name import archive_name
from app.client import Client, Job
from app.client.options import Format, StyleMode
from app.client.responses import ArchiveFields


@dataclass(frozen=True)
class NewJob:
    """The options of `imagemill generate` that describe a job. None leaves the choice to the service."""

    n: int
    model: str | None
    class_label: str | None
    seed: int | None
    start: int | None
    format: Format | None
    style: Path | None
    """Image file whose style the images take."""
    style_mode: StyleMode | None
    style_strength: float | None
    style_steps: int | None
    ttl_hours: int | None

    def submit(self, client: Client) -> Job:
        """Upload the style if there is one, and request the job."""
        style = None if self.style is None else client.upload_style(self.style)
        return client.generate(
            n=self.n,
            model=self.model,
            class_=self.class_label,
            seed=self.seed,
            start=self.start,
            format=self.format,
            style=style,
            style_mode=self.style_mode,
            style_strength=self.style_strength,
            style_steps=self.style_steps,
            ttl_hours=self.ttl_hours,
        )

    def expected_name(self, client: Client) -> Path | None:
        """Return the name that the archive will have. None without a seed, since a random one gives a new name.

        The service knows its default model, and the names of models that the user gave by their sha256.
        """
        if self.seed is None:
            return None
        meant = [model for model in client.models() if self._means(model.name, model.sha256, is_default=model.default)]
        fields = {
            "model": meant[0].name if meant else self.model or "",  # the service will refuse an unknown model
            "n": self.n,
            "seed": self.seed,
            "class": self.class_label,
            "start": self.start or 0,
            "format": self.format or "png",
        }
        return Path(archive_name(ArchiveFields.model_validate(fields)))

    def _means(self, name: str, sha256: str, *, is_default: bool) -> bool:
        return self.model in (name, sha256) if self.model else is_default
