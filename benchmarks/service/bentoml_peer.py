"""The engine `bentoml`: `bentoml serve benchmarks.service.bentoml_peer:Faces`, in the environment of the peers.

BentoML's adaptive batching joins requests that wait at the same time. Here there is one request at a time, and its n
images already go through the generator in full batches. There is nothing to join, so the API is not `batchable`.
"""

from typing import Annotated

import bentoml  # type: ignore[import-not-found]
from bentoml.validators import ContentType  # type: ignore[import-not-found]

from benchmarks.service.tutorial import Tutorial


@bentoml.service(traffic={"timeout": 1800})  # the default of 60 s is too short for 10 000 images
class Faces:
    """The shipped generator behind BentoML."""

    def __init__(self) -> None:
        self._tutorial = Tutorial()

    @bentoml.api  # type: ignore[untyped-decorator]
    def generate(self, n: int) -> Annotated[bytes, ContentType("application/zip")]:
        """Return a ZIP of n images."""
        return self._tutorial.archive(n)
