"""The Python client of the API. It needs httpx and pydantic only.

from app.client import Client

with Client("http://127.0.0.1:8000") as client:
    job = client.generate(n=500, seed=1)
    client.download(job, "faces.zip")
"""

from app.client.archive_download import DownloadProgress
from app.client.async_client import AsyncClient
from app.client.client import Client
from app.client.errors import (
    ClientError,
    ConnectionFailedError,
    DownloadError,
    FileError,
    JobFailedError,
    NotAvailableError,
    RefusedError,
    UnexpectedResponseError,
    WaitTimeoutError,
)
from app.client.estimate import Estimate
from app.client.image import Image
from app.client.responses import (
    ClassYield,
    GateEffect,
    Job,
    JobError,
    JobYield,
    Model,
    PixelDifference,
    Style,
    Verification,
)

__all__ = [
    "AsyncClient",
    "ClassYield",
    "Client",
    "ClientError",
    "ConnectionFailedError",
    "DownloadError",
    "DownloadProgress",
    "Estimate",
    "FileError",
    "GateEffect",
    "Image",
    "Job",
    "JobError",
    "JobFailedError",
    "JobYield",
    "Model",
    "NotAvailableError",
    "PixelDifference",
    "RefusedError",
    "Style",
    "UnexpectedResponseError",
    "Verification",
    "WaitTimeoutError",
]
