"""The JSON objects that the web page needs: its session, and the version of the service."""

from pydantic import BaseModel, ConfigDict, Field


class NewSession(BaseModel):
    """The body of POST /session."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(min_length=1, max_length=200)
    """An API key, as `imagemill keys add` prints it."""


class Session(BaseModel):
    """Whether the service has keys, and the owner whose key the session has."""

    needs_key: bool
    owner: str | None
    """None without a session."""


class Version(BaseModel):
    """The version of the service."""

    version: str
    """Version of the package, `+`, and a checksum of the web page's files. An open page compares it."""
