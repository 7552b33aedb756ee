"""A proxy before an S3 server that counts the requests by method, and their bytes."""

from collections import Counter

from tests.fault_proxy import Fault, FaultProxy, _Message


class CountingProxy(FaultProxy):
    """Counts the requests of API and workers to the bucket."""

    def __init__(self, upstream: int) -> None:
        super().__init__(upstream)
        self.requests = Counter[str]()
        """Number of requests by kind: WRITE, READ, LIST or DELETE."""
        self.uploaded = 0
        """Bytes of the bodies of requests."""

    def _due(self, request: _Message) -> Fault:
        """Count a request, and let it pass."""
        method, path, *_ = request.first
        is_list = method == "GET" and "list-type=2" in path
        kinds = {"PUT": "WRITE", "POST": "WRITE", "HEAD": "READ", "GET": "READ"}
        is_removal = method == "POST" and path.endswith("?delete")
        self.requests["LIST" if is_list else "DELETE" if is_removal else kinds.get(method, method)] += 1
        self.uploaded += len(request.body)
        return "none"
