"""What the OpenAPI document promises, asked of a running service: any request that it allows, and any chain of them."""

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import FlakyStrategyDefinition, Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.integration.house import House

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
    """Every error is problem+json, and none is our mistake."""
    if response.status_code < 400:
        return
    assert response.headers["content-type"] == ["application/problem+json"]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert response.status_code < 500 or problem["code"] == "no_style_transfer", problem


def checks() -> list[Any]:
    return [is_a_problem, *(check for check in CHECKS.get_all() if check.__name__ in PROMISES)]


@pytest.fixture
def document(house: House) -> OpenApiSchema:
    """The document, with jobs small enough to wait for."""
    found = house.client.get("/openapi.json").json()
    (n,) = (parameter for parameter in found["paths"]["/generate"]["post"]["parameters"] if parameter["name"] == "n")
    n["schema"]["maximum"] = MOST_IMAGES
    document = schemathesis.openapi.from_dict(found)
    document.config.update(base_url=house.url)
    return document


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
