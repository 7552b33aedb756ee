"""The engine `litserve`: `python -m benchmarks.service.litserve_peer PORT`, in the environment of the peers.

LitServe batches requests that wait at the same time. Here there is one request at a time, and its n images already
go through the generator in full batches. A batching window would only delay the answer, so max_batch_size stays 1.
"""

import sys

import litserve  # type: ignore[import-not-found]
from fastapi import Response

from benchmarks.service.tutorial import Tutorial


class Faces(litserve.LitAPI):  # type: ignore[misc]
    """The shipped generator behind LitServe."""

    def setup(self, device: str) -> None:
        """Load the model in a worker process."""
        self._tutorial = Tutorial(device)

    def decode_request(self, request: dict[str, int]) -> int:
        """Read n from the request's JSON."""
        return request["n"]

    def predict(self, n: int) -> bytes:
        """Return a ZIP of n images."""
        return self._tutorial.archive(n)

    def encode_response(self, archive: bytes) -> Response:
        """Answer with the ZIP's bytes."""
        return Response(archive, media_type="application/zip")


if __name__ == "__main__":
    # The default limit of 30 s is too short for 10 000 images.
    server = litserve.LitServer(Faces(), timeout=False)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
