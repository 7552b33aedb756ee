import pytest

from app.client import Client, ClientError
from app.client.links import is_of, resolved
from tests.unit.app.source import Source, job

HOST = "http://host:8000"


@pytest.mark.parametrize(
    ("server", "asked", "link", "meant"),
    [
        (HOST, "/generate?n=3", "/jobs/abc", "/jobs/abc"),
        (HOST, "/generate?n=3", "jobs/abc", "/jobs/abc"),
        (HOST, "/jobs/abc", "abc/download", "/jobs/abc/download"),
        (HOST, "/jobs/abc", "../jobs/abc/download", "/jobs/abc/download"),
        (f"{HOST}/im", "/im/generate?n=3", "/jobs/abc", "/im/jobs/abc"),
        (f"{HOST}/im/", "/im/generate?n=3", "/jobs/abc", "/im/jobs/abc"),
        (f"{HOST}/im", "/im/generate?n=3", "/im/jobs/abc", "/im/jobs/abc"),
        (f"{HOST}/im", "/im/generate?n=3", "/images/a/1/2.png", "/im/images/a/1/2.png"),
        (f"{HOST}/im", "/im/generate?n=3", "jobs/abc", "/im/jobs/abc"),
        (f"{HOST}/im", "/im/jobs/abc", "abc/download", "/im/jobs/abc/download"),
        (f"{HOST}/a/b", "/a/b/jobs/abc", "../jobs/abc", "/a/b/jobs/abc"),
        (f"{HOST}/im", "/im/generate", "/jobs/abc/images/{index}.png", "/im/jobs/abc/images/{index}.png"),
        (HOST, "/generate", f"{HOST}/jobs/abc", "/jobs/abc"),
        (f"{HOST}/im", "/im/generate", f"{HOST}/im/jobs/abc", "/im/jobs/abc"),
    ],
)
def test_a_link_is_resolved_as_it_is_meant(server: str, asked: str, link: str, meant: str) -> None:
    assert resolved(link, HOST + asked, server) == HOST + meant


@pytest.mark.parametrize("url", ["http://other:8000/jobs/abc", "https://host:8000/jobs/abc", "http://host/jobs/abc"])
def test_another_host_scheme_or_port_is_another_server(url: str) -> None:
    assert not is_of(url, f"{HOST}/im")


@pytest.mark.parametrize("link", ["http://other.invalid/archive", "//other.invalid/archive"])
def test_a_key_is_not_sent_where_a_link_leads(source: Source, client: Client, link: str) -> None:
    source.answers = [(200, {}, job(links={"self": "/jobs/abc", "download": link}))]
    with pytest.raises(ClientError, match=r"links to another server: http://other\.invalid/archive"):
        client.job("abc")


@pytest.mark.parametrize("links", [{"self": "/jobs/abc", "download": "/archive"}, {"self": "abc", "download": "../x"}])
def test_a_job_is_followed_by_its_links(source: Source, links: dict[str, str]) -> None:
    source.answers = [(200, {}, job(links=links)), (200, {}, job("succeeded", links=links))]
    with Client(f"{source.url}/im") as client:
        *_, ended = client.follow(client.job("abc"))
    assert [line for _, line, _ in source.requests] == ["GET /im/jobs/abc"] * 2
    assert ended.links.download == f"{source.url}/im/{links['download'].removeprefix('../').lstrip('/')}"


def test_what_a_newer_server_tells_is_kept_and_what_an_older_one_leaves_out_is_not_missed(
    source: Source, client: Client
) -> None:
    told = job(links={"self": "/jobs/abc", "download": "/archive", "preview": "/p"}, owner={"name": "alice"})
    for name in ("start", "format", "class", "images_per_s", "eta_seconds", "error"):
        del told[name]
    source.answers = [(200, {}, told)]
    found = client.job("abc").model_dump(by_alias=True, exclude_unset=True)
    links = {name: source.url + link for name, link in told["links"].items()}
    assert found == told | {"links": links}
