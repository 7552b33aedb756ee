"""The answers of the API as its client reads them."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from app.client.links import resolved


class Answer(BaseModel):
    """What a server answers. A newer server may send more fields, which are kept as they are."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Links(Answer):
    """Where the parts of a job are, as URLs."""

    self_: str = Field(alias="self")
    download: str

    def resolved(self, asked: str, server: str) -> Self:
        """Resolve all links of the answer to the request `asked`."""
        links = self.model_dump(by_alias=True)
        urls = {name: resolved(link, asked, server) for name, link in links.items() if isinstance(link, str)}
        return self.model_validate(links | urls)


class Fault(Answer):
    """Why a job failed."""

    message: str


class Named(Answer):
    """What a job's archive is named after."""

    model: str
    n: int
    seed: int
    class_label: str | None = Field(default=None, alias="class")
    start: int = 0
    format: str = "png"


class Job(Named):
    """A job, as far as its client has to know it."""

    id: str
    state: str
    done: bool
    images_done: int
    images_total: int
    style_learnt: float | None = None
    """From 0 to 1, while a model learns the job's style."""
    images_per_s: float | None = None
    eta_seconds: float | None = None
    error: Fault | None = None
    links: Links


class Model(Answer):
    """A model that can be asked for."""

    name: str
    sha256: str
    default: bool


class Models(Answer):
    """All models that can be asked for."""

    models: tuple[Model, ...]


class Style(Answer):
    """A picture that images can take the style of."""

    id: str


class Problem(Answer):
    """Why a request was refused."""

    detail: str
