"""The HTTP endpoints of health checks and metrics. They respond even if all other requests wait."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from app.api.dependencies import caller_of
from app.api.head_requests import add_head_routes
from app.api.problems import documented
from app.api.request_parameters import no_body, no_query
from app.cluster.prometheus import PrometheusCollector
from app.cluster.readiness import Readiness
from app.schemas import Health, Ready

_LOOKING = 4
"""Largest number of health checks that run at the same time."""

T = TypeVar("T")

router = APIRouter(tags=["health"], dependencies=[Depends(no_query), Depends(no_body)])


class HealthChecks:
    """Runs health checks in threads that other requests do not use."""

    def __init__(self, metrics: PrometheusCollector, readiness: Readiness) -> None:
        self.metrics = metrics
        self.readiness = readiness
        self._looking = CapacityLimiter(_LOOKING)

    async def look(self, look: Callable[[], T]) -> T:
        """Run a check in a thread of its own limiter, so that it never waits for other requests."""
        return await to_thread.run_sync(look, limiter=self._looking)


def _probes(request: Request) -> HealthChecks:
    probes: HealthChecks = request.app.state.probes
    return probes


def _not_ready() -> dict[int | str, dict[str, Any]]:
    responses = documented(HTTPStatus.SERVICE_UNAVAILABLE)
    ((_, media),) = responses[503]["content"].items()
    parts = {"type": "object", "properties": {"parts": {"$ref": "#/components/schemas/Parts"}}, "required": ["parts"]}
    media["schema"] = {"allOf": [media["schema"], parts]}
    return responses


@router.get("/healthz", operation_id="get_health")
async def healthz() -> Health:
    """Say that the process answers."""
    return Health()


@router.get("/readyz", operation_id="get_readiness", responses=_not_ready(), response_model_exclude_none=True)
async def readyz(request: Request) -> Ready:
    """Say whether a job that came now would be rendered, and if not, which part of the service is away."""
    probes = _probes(request)
    return await probes.look(probes.readiness.check)


@router.get(
    "/metrics",
    operation_id="get_metrics",
    response_class=Response,
    dependencies=[Depends(caller_of)],
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **documented(HTTPStatus.UNAUTHORIZED)},
)
async def metrics(request: Request) -> Response:
    """Show the service's figures in Prometheus' text format."""
    probes = _probes(request)
    return Response(await probes.look(probes.metrics.text), media_type=CONTENT_TYPE_PLAIN_0_0_4)


add_head_routes(router)
