"""What pages of other sites may do through the browser of somebody who runs the service on loopback, without keys."""

import pytest

from tests.integration.house import House
from tests.integration.test_problems import problem
from tests.tiny import PLAIN


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        ("POST", "/generate?n=100", "no-cors"),
        ("POST", "/generate?n=100", "navigate"),
        ("POST", "/styles", "navigate"),
        ("GET", f"/images/{PLAIN}/1/1.png", "no-cors"),
    ],
)
def test_a_page_of_another_site_cannot_ask(house: House, method: str, path: str, mode: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
    refused = house.client.request(method, path, headers=headers)
    assert (problem(refused)["status"], problem(refused)["code"]) == (403, "cross_site")


def test_a_link_on_another_site_can_be_followed(house: House) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert house.client.get("/models", headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_a_notebook_on_the_same_machine_can_ask(house: House, site: str) -> None:
    assert house.client.get(f"/images/{PLAIN}/1/1.png", headers={"Sec-Fetch-Site": site}).status_code == 200


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", ""])
def test_a_site_whose_name_leads_to_loopback_is_told_nothing(house: House, name: str) -> None:
    refused = house.client.get("/styles", headers={"Host": name})
    assert (problem(refused)["status"], problem(refused)["code"]) == (403, "cross_site")


@pytest.mark.parametrize("name", ["localhost", "localhost:8000", "127.0.0.1", "[::1]:8000", "192.168.0.7"])
def test_this_machine_has_many_names(house: House, name: str) -> None:
    assert house.client.get("/models", headers={"Host": name}).status_code == 200


def test_where_anyone_is_let_in_the_service_may_have_any_name(house: House) -> None:
    with house.another_api(IMAGEMILL_OPEN="anyone") as (client, _):
        assert client.get("/models", headers={"Host": "images.example"}).status_code == 200
