"""The HTTP endpoints of signed manifests."""

from http import HTTPStatus

from fastapi import Response

from app.api.dependencies import ServicesDep, SpecDep, router_for_callers
from app.api.route_docs import binary_content, problem_docs
from app.provenance.manifest import Manifest

_ERRORS = problem_docs(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE)

router = router_for_callers()


@router.get(
    "/jobs/{job_id}/manifest.json",
    operation_id="get_manifest",
    tags=["jobs"],
    response_model=Manifest,
    responses=_ERRORS,
)
async def get_manifest(spec: SpecDep, services: ServicesDep) -> Response:
    """Return the manifest of a finished dataset: its checksums, and its origin by model, seed and indices.

    `manifest.sig` signs these bytes. Both need a signing key of the operator.
    """
    return Response(await services.manifests.manifest(spec), media_type="application/json")


@router.get(
    "/jobs/{job_id}/manifest.sig",
    operation_id="get_manifest_signature",
    tags=["jobs"],
    response_class=Response,
    responses={200: {"content": binary_content()}, **_ERRORS},
)
async def get_manifest_signature(spec: SpecDep, services: ServicesDep) -> Response:
    """Return the Ed25519 signature of `manifest.json`: 64 bytes."""
    return Response(await services.manifests.signature(spec), media_type="application/octet-stream")
