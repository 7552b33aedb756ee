"""The HTTP endpoint that streams the events of all jobs of a caller."""

from collections.abc import AsyncIterator

from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.api.dependencies import CallerDep, ServicesDep, router_for_callers
from app.api.health_routes import get_version
from app.schemas.responses import Job

router = router_for_callers()


@router.get("/events", operation_id="get_all_events", tags=["jobs"], response_class=EventSourceResponse)
async def get_all_events(caller: CallerDep, services: ServicesDep) -> AsyncIterator[ServerSentEvent]:
    """Send server-sent events about all jobs of the caller, until the client disconnects.

    First an event `version` with the answer of GET /version, an event `job` for each job that has not ended, and an
    event `open` with the ids of these jobs. Then an event `job` whenever a job is new, has changed or has ended.
    """
    yield ServerSentEvent(data=(await get_version()).model_dump(), event="version")
    async for change in services.owner_watcher.changes(caller.owner):
        if isinstance(change, Job):
            yield ServerSentEvent(data=change.model_dump(mode="json", by_alias=True), event="job")
        else:
            yield ServerSentEvent(data={"jobs": change}, event="open")
