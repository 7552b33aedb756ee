"""The errors of the client, each with a sentence for people and fields for programs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.client.responses import Job


class ClientError(Exception):
    """Base class of all errors of the client. Its text is a sentence that says what went wrong."""

    def __init__(
        self,
        sentence: str,
        *,
        code: str | None = None,
        status: int | None = None,
        retryable: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.code = code
        """Stable code of the service, such as `no_worker`. None if the error did not come from the service."""
        self.status = status
        """HTTP status of the response, if the service refused a request."""
        self.retryable = retryable or retry_after_seconds is not None
        """Whether the same call may succeed later. For a job that failed: whether `retry` may succeed."""
        self.retry_after_seconds = retry_after_seconds
        """How long to wait before the same request is worth repeating. None if it is not."""


class ConnectionFailedError(ClientError):
    """The service cannot be reached, or the connection broke."""


class RefusedError(ClientError):
    """The service refused a request. `code` and `status` say why."""


class NotAvailableError(ClientError):
    """The job, image or style does not exist, or its images have expired (HTTP 404, 409 or 410)."""


class JobFailedError(NotAvailableError):
    """The job has failed or was cancelled. `code` is the code of the failure, or `cancelled`."""

    def __init__(self, job: "Job") -> None:
        reason = f"the job {job.state}: {job.error.message}" if job.error else f"the job was {job.state}"
        code = job.error.code if job.error else job.state
        super().__init__(reason, code=code, retryable=job.error.retryable if job.error else False)
        self.job = job


class UnexpectedResponseError(ClientError):
    """The response is not one of Imagemill, so the address may be wrong."""


class DownloadError(ClientError):
    """An archive arrived incomplete or damaged."""


class FileError(ClientError):
    """A file cannot be read or written."""


class WaitTimeoutError(ClientError):
    """A job has not ended within the timeout. It goes on, so `wait` can be called again."""
