import inspect

from app.client import Client, Style
from app.client.job_parameters import JobParameters, query_of


def test_an_estimate_has_the_parameters_of_a_job() -> None:
    job = set(inspect.signature(Client.generate).parameters) - {"self", "idempotency_key"}
    assert set(JobParameters.__annotations__) == job


def test_the_query_has_the_names_of_the_api() -> None:
    style = Style(id="1" * 64)
    parameters = JobParameters(n=3, class_=None, classes={"a b": 3}, style=style, keep=0.5)
    assert query_of(parameters) == {"n": 3, "classes": "a%20b:3", "style": style.id, "keep": 0.5}
