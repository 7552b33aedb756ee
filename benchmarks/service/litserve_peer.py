"""The engine `litserve`: `python -m benchmarks.service.litserve_peer PORT`, in the environment of the peers.

LitServe batches requests that wait at the same time. Here one request is asked at a time, and its n images already go
through the generator in full batches: its window would join nothing and only delay. So max_batch_size stays 1.
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
        """Take n from the request's JSON."""
        return request["n"]

    def predict(self, n: int) -> bytes:
        """Make the ZIP."""
        return self._tutorial.archive(n)

    def encode_response(self, archive: bytes) -> Response:
        """Answer with the ZIP's bytes."""
        return Response(archive, media_type="application/zip")


if __name__ == "__main__":
    # By default a request ends after 30 s, which is too little for 10 000 images.
    server = litserve.LitServer(Faces(), timeout=False)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
