import signal
import time
from pathlib import Path

from rq import Queue
from rq.serializers import JSONSerializer

from tests.integration.running_service import DEADLINE_SECONDS, RunningService, wait_until
from worker.queue.watchdog import STATUS

N = 10_000
"""Many shards, so that a job is certainly at work when something is killed."""


def test_a_killed_worker_loses_no_image(service: RunningService) -> None:
    undisturbed = service.hashes(N, seed=3)
    job = service.generate(N, seed=3)
    service.wait_rendering(job["id"])
    service.end_workers(signal.SIGKILL)
    assert not service.job(job["id"])["done"]
    service.start_worker()
    assert service.wait_done(job["id"])["state"] == "succeeded"
    assert service.job_hashes(job["id"]) == undisturbed


def test_an_emptied_queue_server_loses_no_job(service: RunningService) -> None:
    job = service.generate(N, seed=3)
    service.wait_rendering(job["id"])
    service.redis.flushall()
    assert service.wait_done(job["id"])["images_done"] == N


def test_an_outage_of_the_queue_server_loses_no_job(service: RunningService) -> None:
    job = service.generate(N, seed=3)
    service.wait_rendering(job["id"])
    service.end_queue()
    refused = service.client.post("/generate", params={"n": 1})
    assert (refused.status_code, refused.json()["code"]) == (503, "queue_unavailable")
    service.restart_queue()
    assert service.wait_done(job["id"])["state"] == "succeeded"
    assert all(worker.poll() is None for worker in service.workers)


def test_a_refused_job_leaves_nothing_behind(service: RunningService) -> None:
    store = service.folder / "store"
    before = {path.name for path in (store / "jobs").iterdir()}
    service.end_queue()
    assert service.client.post("/generate", params={"n": 1}).status_code == 503
    assert {path.name for path in (store / "jobs").iterdir()} == before
    service.restart_queue()


def test_a_worker_that_is_asked_to_stop_gives_its_shard_back(service: RunningService) -> None:
    job = service.generate(N, seed=3)
    service.wait_rendering(job["id"])
    service.end_workers(signal.SIGTERM)
    assert service.redis.keys("imagemill:lease:*") == []
    service.start_worker()
    assert service.wait_done(job["id"])["state"] == "succeeded"


def test_cancelling_stops_a_job_at_work(service: RunningService) -> None:
    job = service.generate(N)
    service.wait_rendering(job["id"])
    cancelled = service.client.post(job["links"]["cancel"]).json()
    assert (cancelled["state"], cancelled["done"]) == ("cancelled", True)
    wait_until(service.queue_is_empty)
    assert service.job(job["id"])["images_done"] < N


def test_a_foreign_function_on_the_queue_is_never_called(service: RunningService, tmp_path: Path) -> None:
    proof = tmp_path / "called"
    queue = Queue(service.queues()[0], connection=service.redis, serializer=JSONSerializer)
    queue.enqueue("os.mkdir", str(proof))
    queue.enqueue("render_shard", kwargs={"job_id": "../../etc", "shard": 0})
    broken = queue.enqueue("os.mkdir", str(proof))
    service.redis.hset(broken.key, "status", "no such status")
    assert service.wait_done(service.generate(1)["id"])["state"] == "succeeded"
    wait_until(service.queue_is_empty)
    assert not proof.exists()
    assert all(worker.poll() is None for worker in service.workers)


def test_a_store_in_trouble_delays_a_job_and_does_not_fail_it(idle_service: RunningService) -> None:
    job = idle_service.generate(300, seed=3)
    blocked = idle_service.folder / "store" / "jobs" / job["id"] / "shards"
    blocked.write_bytes(b"a file where a folder must be")
    log = idle_service.folder / "worker-0.log"
    said = log.read_text().count("task was dropped") if log.exists() else 0
    idle_service.start_worker()
    wait_until(lambda: log.read_text().count("task was dropped") > said)
    assert not idle_service.job(job["id"])["done"]
    blocked.unlink()
    assert idle_service.wait_done(job["id"])["state"] == "succeeded"


def test_what_is_damaged_in_the_store_is_said_to_be(service: RunningService) -> None:
    job = service.wait_done(service.generate(3)["id"])
    (service.folder / "store" / "jobs" / job["id"] / "state.json").write_bytes(b"{}")
    answer = service.client.get(f"/jobs/{job['id']}")
    assert (answer.status_code, answer.json()["code"]) == (500, "artifact_damaged")


def test_a_job_outlives_a_worker_that_is_started_without_its_model(idle_service: RunningService) -> None:
    path = idle_service.folder / "models" / "plain.safetensors"
    hidden = path.rename(path.with_suffix(".hidden"))
    job = idle_service.generate(2)
    lacking = idle_service.start_worker()
    wait_until(lambda: idle_service.client.post("/generate", params={"n": 2}).json().get("code") == "no_worker")
    assert not idle_service.job(job["id"])["done"]
    hidden.rename(path)
    idle_service.end_worker(lacking)
    idle_service.start_worker()
    assert idle_service.wait_done(job["id"])["state"] == "succeeded"


def test_a_job_that_kills_its_workers_fails_and_the_next_one_is_served(idle_service: RunningService) -> None:
    job = idle_service.generate(2)
    idle_service.redis.hset(f"imagemill:attempts:{job['id']}", f"{job['id']}-0", 3)
    after = idle_service.generate(2)
    idle_service.start_worker()
    ended = idle_service.wait_done(job["id"])
    assert (ended["state"], ended["error"]["code"]) == ("failed", "worker_crashed")
    assert idle_service.wait_done(after["id"])["state"] == "succeeded"


HANGING = """
import time
from pathlib import Path
from worker.rendering.encoding import encode
from worker.main import cores, work
from worker.rendering.device import choose_device
from worker.rendering.engine import RenderEngine, find_checkpoints
from worker.rendering.remote_models import find_models_folder
from worker.settings import WorkerSettings

settings = WorkerSettings()

def hanging(images, kind):
    time.sleep(3600)

work(settings, RenderEngine(find_checkpoints(find_models_folder(settings.models)), choose_device("cpu")), hanging)
"""


def test_a_worker_that_hangs_ends_itself(idle_service: RunningService) -> None:
    job = idle_service.generate(3)
    hanging = idle_service.start_worker(HANGING, IMAGEMILL_WATCHDOG_SECONDS="0.5")
    assert hanging.wait(DEADLINE_SECONDS) == STATUS
    idle_service.start_worker(IMAGEMILL_WATCHDOG_SECONDS="0.5")
    time.sleep(1)  # an idle worker is not taken to hang
    idle_service.redis.delete(*idle_service.redis.keys("imagemill:lease:*"))  # which ends by itself after 15 s
    assert idle_service.wait_done(job["id"])["state"] == "succeeded"
    assert all(worker.poll() in (None, STATUS) for worker in idle_service.workers)
    idle_service.end_workers(signal.SIGTERM)  # other tests may take longer than half a second
