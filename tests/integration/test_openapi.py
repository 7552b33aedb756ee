"""Checks the OpenAPI document against a running service, with generated requests and chains of requests."""

import re
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import FlakyStrategyDefinition, Unsatisfiable
from hypothesis.strategies import SearchStrategy
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.schemas import OpenApiSchema

from app.main import create_app
from app.settings import Settings
from tests.integration.running_service import RunningService

MOST_IMAGES = 8
PROMISES = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "allow_header_conformance",
)
BOUNDED = settings(
    max_examples=5,
    stateful_step_count=6,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def is_a_problem(_context: CheckContext, response: Response, _case: Case[Any]) -> None:
    """Every error is problem+json, and none has the code `internal`."""
    if response.status_code < 400:
        return
    assert response.headers["content-type"] == ["application/problem+json"]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert response.status_code < 500 or problem["code"] == "no_style_transfer", problem


def checks() -> list[Any]:
    return [is_a_problem, *(check for check in CHECKS.get_all() if check.__name__ in PROMISES)]


@pytest.fixture(params=["query", "body"])
def document(service: RunningService, request: pytest.FixtureRequest) -> OpenApiSchema:
    """Return the document with small jobs whose parameters all come in the query, or all in the body."""
    found = service.client.get("/openapi.json").json()
    generate = found["paths"]["/generate"]["post"]
    (n,) = (parameter for parameter in generate["parameters"] if parameter["name"] == "n")
    body = found["components"]["schemas"]["GenerateRequest"]
    n["schema"]["maximum"] = body["properties"]["n"]["maximum"] = MOST_IMAGES
    if request.param == "query":
        n["required"] = True
        del generate["requestBody"]
    else:
        body["required"], generate["requestBody"]["required"] = ["n"], True
        generate["parameters"] = [found for found in generate["parameters"] if found["in"] != "query"]
    document = schemathesis.openapi.from_dict(found)
    document.config.update(base_url=service.url)
    return document


@pytest.fixture(scope="module")
def operations() -> dict[str, dict[str, Any]]:
    """Return the operations of the document by their ids, without a running service."""
    document = create_app(Settings(store="memory")).openapi()
    return {found["operationId"]: found for path in document["paths"].values() for found in path.values()}


def test_the_document_is_valid_openapi_3_1(service: RunningService) -> None:
    found = service.client.get("/openapi.json").json()
    assert found["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(found).validate()


def test_generators_can_name_every_operation(operations: dict[str, dict[str, Any]]) -> None:
    assert {"generate", "get_job", "download_job", "cancel_job", "list_models", "add_style"} <= operations.keys()
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+){0,3}", name) for name in operations)


def test_every_parameter_is_of_one_plain_type(operations: dict[str, dict[str, Any]]) -> None:
    """Client generators omit operations with headers of other types, and send the default values of the document."""
    for operation in operations.values():
        for parameter in operation.get("parameters", []):
            assert parameter["schema"]["type"] in ("string", "integer", "number"), parameter
            assert "default" not in parameter["schema"], parameter


def test_every_answer_has_a_type_that_generators_know(operations: dict[str, dict[str, Any]]) -> None:
    for name, operation in operations.items():
        for status, answer in operation["responses"].items():
            content = answer.get("content", {})
            assert (status in ("204", "304")) == (not content), (name, status)
            for media_type, described in content.items():
                schema = described["schema"]
                is_text = media_type.startswith("text/") or "json" in media_type
                assert is_text or schema == {"type": "string", "format": "binary"}, (name, media_type)


@pytest.mark.parametrize("status", ["200", "202"])
def test_a_request_for_a_job_is_answered_with_a_job(operations: dict[str, dict[str, Any]], status: str) -> None:
    job = {"schema": {"$ref": "#/components/schemas/Job"}}
    assert operations["generate"]["responses"][status]["content"] == {"application/json": job}


def test_the_body_takes_what_the_query_takes(operations: dict[str, dict[str, Any]], service: RunningService) -> None:
    generate = operations["generate"]
    body = service.client.get("/openapi.json").json()["components"]["schemas"]["GenerateRequest"]
    assert list(generate["requestBody"]["content"]) == ["application/json"]
    assert "required" not in generate["requestBody"]
    query = {parameter["name"] for parameter in generate["parameters"] if parameter["in"] == "query"}
    assert set(body["properties"]) == query >= {"n", "class", "ttl_hours"}


def test_parameters_of_a_path_come_as_they_stand_in_it(service: RunningService) -> None:
    for path, item in service.client.get("/openapi.json").json()["paths"].items():
        for operation in item.values():
            named = [found["name"] for found in operation.get("parameters", []) if found["in"] == "path"]
            assert named == re.findall("{(.*?)}", path)


def test_the_document_is_the_same_whenever_it_is_asked_for(
    operations: dict[str, dict[str, Any]], service: RunningService
) -> None:
    first, second = (service.client.get("/openapi.json").json() for _ in range(2))
    assert first == second
    assert {found["operationId"]: found for path in second["paths"].values() for found in path.values()} == operations


def test_a_key_is_optional_and_probes_take_none(operations: dict[str, dict[str, Any]], service: RunningService) -> None:
    assert service.client.get("/openapi.json").json()["security"] == [{}, {"key": []}]
    open_to_all = {name for name, operation in operations.items() if operation.get("security") == []}
    assert open_to_all == {"get_health", "get_readiness", "get_version", "get_session", "start_session", "end_session"}
    assert all("security" not in operations[name] for name in operations.keys() - open_to_all)


def test_any_request_gets_what_the_document_says(document: OpenApiSchema) -> None:
    for found in document.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        check(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        with suppress(Unsatisfiable):  # to some, nothing wrong can be said
            check(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))


def check(cases: SearchStrategy[Case[Any]]) -> None:
    @BOUNDED
    @given(cases)
    def call(case: Case[Any]) -> None:
        case.call_and_validate(checks=checks())

    call()


def test_any_chain_of_requests_gets_what_the_document_says(document: OpenApiSchema) -> None:
    reached = set()

    class Chain(document.as_state_machine()):  # type: ignore[misc]
        def validate_response(self, response: Response, case: Case[Any], **_: Any) -> None:
            case.validate_response(response, checks=checks())
            reached.add((case.operation.label, response.status_code))

    with suppress(FlakyStrategyDefinition):  # what can follow a request depends on how far its job is by then
        Chain.run(settings=settings(BOUNDED, max_examples=60))
    assert ("POST /generate", 202) in reached
