"""The HTTP endpoint that estimates jobs."""

from http import HTTPStatus

from app.api.dependencies import CallerDep, GenerateQueryDep, ServicesDep, router_for_callers
from app.api.request_parameters import MAX_BODY_BYTES
from app.api.route_docs import problem_docs, query_or_body_docs
from app.schemas.estimates import Estimate

router = router_for_callers("query", "body")


@router.post(
    "/estimate",
    operation_id="estimate",
    tags=["jobs"],
    max_body_size=MAX_BODY_BYTES,
    openapi_extra=query_or_body_docs(),
    responses=problem_docs(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def estimate(query: GenerateQueryDep, caller: CallerDep, services: ServicesDep) -> Estimate:
    """Estimate the costs of a job: seconds, bytes, tries, disk space and quota. Nothing is created.

    The parameters are those of /generate. `fits` has the errors with which /generate would refuse the job now.
    """
    return services.estimator.estimate(query, caller)
