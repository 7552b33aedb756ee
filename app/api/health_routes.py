"""The HTTP endpoints of health checks and metrics. They respond even if all other requests wait."""

from http import HTTPStatus
from typing import Any

from fastapi import Depends, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from app.api.build_id import build_id
from app.api.dependencies import ServicesDep, find_caller
from app.api.request_parameters import reject_body, reject_query
from app.api.route_docs import problem_docs
from app.api.router import Router
from app.schemas.health import Health, Ready
from app.schemas.page import Version

router = Router(tags=["health"], dependencies=[Depends(reject_query), Depends(reject_body)])


def _not_ready_docs() -> dict[int | str, dict[str, Any]]:
    responses = problem_docs(HTTPStatus.SERVICE_UNAVAILABLE)
    ((_, media),) = responses[503]["content"].items()
    parts = {"type": "object", "properties": {"parts": {"$ref": "#/components/schemas/Parts"}}, "required": ["parts"]}
    media["schema"] = {"allOf": [media["schema"], parts]}
    return responses


@router.get("/healthz", operation_id="get_health")
async def get_health() -> Health:
    """Return 200 while the process responds."""
    return Health()


@router.get("/readyz", operation_id="get_readiness", responses=_not_ready_docs(), response_model_exclude_none=True)
async def get_readiness(services: ServicesDep) -> Ready:
    """Return 200 if a new job would be rendered now. Otherwise, the error names the part that does not work."""
    checks = services.health_checks
    return await checks.run(checks.readiness.check)


@router.get("/version", operation_id="get_version")
async def get_version() -> Version:
    """Return the version of the service, and a checksum of the web page's files. An open page compares it."""
    return Version(version=build_id())


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
async def get_metrics(services: ServicesDep) -> Response:
    """Return the metrics of the service in the Prometheus text format."""
    checks = services.health_checks
    return Response(await checks.run(checks.metrics.text), media_type=CONTENT_TYPE_PLAIN_0_0_4)
