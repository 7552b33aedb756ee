"""The HTTP endpoints of health checks and metrics. They respond even if all other requests wait."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from app.api.dependencies import find_caller
from app.api.head_requests import add_head_routes
from app.api.problems import problem_docs
from app.api.request_parameters import reject_body, reject_query
from app.cluster.prometheus import PrometheusCollector
from app.cluster.readiness import Readiness
from app.schemas import Health, Ready

_MAX_CONCURRENT_CHECKS = 4
"""Largest number of health checks that run at the same time."""

T = TypeVar("T")

router = APIRouter(tags=["health"], dependencies=[Depends(reject_query), Depends(reject_body)])


class HealthChecks:
    """Runs health checks in threads that other requests do not use."""

    def __init__(self, metrics: PrometheusCollector, readiness: Readiness) -> None:
        self.metrics = metrics
        self.readiness = readiness
        self._limiter = CapacityLimiter(_MAX_CONCURRENT_CHECKS)

    async def run(self, check: Callable[[], T]) -> T:
        """Run a check in a thread of its own limiter, so that it never waits for other requests."""
        return await to_thread.run_sync(check, limiter=self._limiter)


def _find_health_checks(request: Request) -> HealthChecks:
    health_checks: HealthChecks = request.app.state.health_checks
    return health_checks


def _not_ready_docs() -> dict[int | str, dict[str, Any]]:
    responses = problem_docs(HTTPStatus.SERVICE_UNAVAILABLE)
    ((_, media),) = responses[503]["content"].items()
    parts = {"type": "object", "properties": {"parts": {"$ref": "#/components/schemas/Parts"}}, "required": ["parts"]}
    media["schema"] = {"allOf": [media["schema"], parts]}
    return responses


@router.get("/healthz", operation_id="get_health")
async def healthz() -> Health:
    """Return 200 while the process responds."""
    return Health()


@router.get("/readyz", operation_id="get_readiness", responses=_not_ready_docs(), response_model_exclude_none=True)
async def readyz(request: Request) -> Ready:
    """Return 200 if a new job would be rendered now. Otherwise, the error names the part that does not work."""
    health_checks = _find_health_checks(request)
    return await health_checks.run(health_checks.readiness.check)


@router.get(
    "/metrics",
    operation_id="get_metrics",
    response_class=Response,
    dependencies=[Depends(find_caller)],
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **problem_docs(HTTPStatus.UNAUTHORIZED),
    },
)
async def metrics(request: Request) -> Response:
    """Return the metrics of the service in the Prometheus text format."""
    health_checks = _find_health_checks(request)
    return Response(await health_checks.run(health_checks.metrics.text), media_type=CONTENT_TYPE_PLAIN_0_0_4)


add_head_routes(router)
