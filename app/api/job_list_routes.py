"""The HTTP endpoint that lists jobs."""

from app.api.dependencies import CallerDep, JobListQueryDep, ServicesDep, router_for_callers
from app.schemas.responses import JobPage

router = router_for_callers("query")


@router.get("/jobs", operation_id="list_jobs", tags=["jobs"])
def list_jobs(query: JobListQueryDep, caller: CallerDep, services: ServicesDep) -> JobPage:
    """List the caller's jobs, the newest first. Jobs of single images (GET /images) are not listed.

    `next` continues the list: send it as `after`. A request reads 500 jobs at most, so with filters a page can hold
    fewer jobs than `limit`, or none, although `next` is not null.
    """
    return services.job_listing.page(caller.owner, query)
