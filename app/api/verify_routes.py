"""The HTTP endpoint that verifies an image."""

from http import HTTPStatus

from fastapi import Request

from app.api.dependencies import CallerDep, ServicesDep, router_for_callers
from app.api.route_docs import problem_docs
from app.api.uploads import UploadDep
from app.schemas.verification import Verification
from app.styles.limits import MAX_UPLOAD_BYTES

router = router_for_callers("body")


@router.post(
    "/verify",
    operation_id="verify_image",
    tags=["images"],
    max_body_size=MAX_UPLOAD_BYTES,
    form_limits={"max_files": 1, "max_fields": 8, "max_part_size": 1024},
    responses=problem_docs(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INSUFFICIENT_STORAGE,
    ),
)
async def verify_image(file: UploadDep, caller: CallerDep, services: ServicesDep, request: Request) -> Verification:
    """Verify whether this service made an image: render the address in its mark again, and compare the pixels.

    An image without a mark is searched for in the recent jobs of the caller.
    """
    return await services.verifier.verify(file, caller, request.is_disconnected)
