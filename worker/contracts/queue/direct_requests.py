"""Direct requests: a request for one unstyled image, or a preview, that a worker answers through Redis, without a job.

The API writes the request under a key that expires at the deadline, and appends its id to a list of the model. A worker
takes an id from the lists of its models, takes the request, and appends the reply to the list of the API process.
A request whose key is gone has met its deadline, was withdrawn or was taken: the worker skips its id.
So no clocks are compared but that of Redis. A lost request or reply is lost without a trace: the client may ask again.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from worker.contracts.catalog import Sha256
from worker.contracts.job_state import JobError

RandomId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""32 hexadecimal digits from `uuid4`."""
_SEPARATOR = b"\n"


class DirectRequest(BaseModel):
    """One request. Its id is a part of its key."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    process_id: RandomId
    """The API process that waits for the reply."""
    spec: str
    """JSON of the JobSpec of one image, without a style or a selection.

    It is parsed separately, so that a worker can still reply if the spec comes from a newer version. Empty for a
    preview.
    """
    preview: str = ""
    """JSON of a Preview; empty if the request is for one image."""


class DirectReply(BaseModel):
    """The head of a reply. The bytes of the image follow, unless there is an error."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: RandomId
    """The id of the request."""
    sha256: Sha256 | Literal[""] = ""
    """Checksum of the image; empty if there is an error."""
    error: JobError | None = None

    def pack(self, image: bytes = b"") -> bytes:
        """Return the head, a line break and the image."""
        return self.model_dump_json(exclude_none=True).encode() + _SEPARATOR + image

    @classmethod
    def unpack(cls, packed: bytes) -> tuple[Self, bytes] | None:
        """Return the head and the image. Returns None if the reply is of an incompatible version."""
        head, _, image = packed.partition(_SEPARATOR)
        try:
            return cls.model_validate_json(head), image
        except ValidationError:
            return None
