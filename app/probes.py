"""The probes, which answer without a key."""

from http import HTTPStatus

from fastapi import APIRouter

from app.dependencies import ServiceDep
from app.errors import documented
from app.schemas import Health

probes = APIRouter(tags=["health"])


@probes.get("/healthz")
async def healthz() -> Health:
    """Say that the process answers."""
    return Health()


@probes.get("/readyz", responses=documented(HTTPStatus.SERVICE_UNAVAILABLE))
def readyz(service: ServiceDep) -> Health:
    """Say that a job that came now would be rendered."""
    service.check_ready()
    return Health()
