"""The removal of jobs, over HTTP."""

from pathlib import Path

import pytest

from app.client import Client, NotAvailableError
from tests.integration.guarded import Guarded
from tests.integration.running_service import RunningService
from tests.integration.test_problems import problem


def stored(service: RunningService, job_id: str) -> set[str]:
    return {path.name for path in (service.folder / "store" / "jobs" / job_id).rglob("*") if path.is_file()}


def test_the_images_go_and_the_record_stays(service: RunningService) -> None:
    job = service.generate(300, seed=1)
    done = service.wait_done(job["id"])
    archive = service.client.get(job["links"]["download"]).content
    deleted = service.client.delete(f"/jobs/{job['id']}")
    assert deleted.status_code == 200
    assert deleted.json() | {"expires": done["expires"]} == done
    assert stored(service, job["id"]) == {"spec.json", "state.json"}
    for path in (job["links"]["download"], f"/jobs/{job['id']}/images/0.png"):
        gone = problem(service.client.get(path))
        assert (gone["status"], gone["code"]) == (410, "job_expired")
        assert job["links"]["rebuild"] in gone["detail"]
    assert service.client.get("/jobs?limit=1").json()["jobs"] == [deleted.json()]
    again = service.client.delete(f"/jobs/{job['id']}")
    assert (again.status_code, again.json()) == (200, deleted.json())
    rebuilt = service.client.post(job["links"]["rebuild"]).json()
    assert rebuilt["id"] != job["id"]
    service.wait_done(rebuilt["id"])
    assert service.client.get(rebuilt["links"]["download"]).content == archive


def test_a_running_job_is_cancelled(service: RunningService) -> None:
    job = service.generate(20_000, seed=2)
    service.wait_rendering(job["id"])
    deleted = service.client.delete(f"/jobs/{job['id']}")
    assert (deleted.status_code, deleted.json()["state"]) == (200, "cancelled")
    assert service.client.delete(f"/jobs/{job['id']}").json() == deleted.json()
    assert service.client.post(f"/jobs/{job['id']}/cancel").status_code == 200


def test_images_stay_removed_after_the_service_is_killed(service: RunningService) -> None:
    job = service.generate(3, seed=3)
    service.wait_done(job["id"])
    deleted = service.client.delete(f"/jobs/{job['id']}").json()
    service.restart_api()
    assert service.job(job["id"]) == deleted
    assert stored(service, job["id"]) == {"spec.json", "state.json"}


def test_another_owner_cannot_remove_a_job(guarded: Guarded) -> None:
    job = guarded.use("remover").post("/generate?n=1").json()["id"]
    assert problem(guarded.use("another").delete(f"/jobs/{job}"))["code"] == "unknown_job"
    assert guarded.use("remover").delete(f"/jobs/{job}").status_code == 200


@pytest.mark.parametrize("query", ["?force=true", "?n=1"])
def test_a_parameter_is_refused(service: RunningService, query: str) -> None:
    job = service.generate(1)["id"]
    assert service.client.delete(f"/jobs/{job}{query}").status_code == 422
    assert service.wait_done(job)["state"] == "succeeded"


def test_the_client_removes_a_job(service: RunningService, tmp_path: Path) -> None:
    with Client(service.url) as client:
        job = client.wait(client.generate(n=2))
        deleted = client.delete(job)
        assert deleted.expires is not None
        assert job.expires is not None
        assert deleted.expires < job.expires
        with pytest.raises(NotAvailableError, match="rebuild"):
            client.download(job, tmp_path / "a.zip")
