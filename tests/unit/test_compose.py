"""What the Compose file gives to each process is what its settings know."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from tests.compose import VARIABLES, services
from worker.contracts.environment import Environment
from worker.settings import WorkerSettings

EVERYTHING = {
    "CADDY_IMAGE": "caddy:2",
    "GRAFANA_IMAGE": "grafana:11",
    "GRAFANA_PORT": "3001",
    "IMAGEMILL_CORS_ORIGINS": "http://localhost:8888",
    "IMAGEMILL_DEFAULT_MODEL": "emoji-64",
    "IMAGEMILL_DOMAIN": "mill.example",
    "IMAGEMILL_KEYS": "/data/keys.json",
    "IMAGEMILL_LEARNT_MB": "500",
    "IMAGEMILL_LOG_FORMAT": "json",
    "IMAGEMILL_MARK": "none",
    "IMAGEMILL_MAX_IMAGES": "1000",
    "IMAGEMILL_METRICS_KEY_FILE": "/etc/metrics_key",
    "IMAGEMILL_MIN_FREE_MB": "0",
    "IMAGEMILL_MODELS_DIR": "/models",
    "IMAGEMILL_PORT": "9000",
    "IMAGEMILL_QUEUE_PASSWORD_FILE": "/etc/queue_password",
    "IMAGEMILL_ROOT_PATH": "/mill",
    "IMAGEMILL_RUNS_DIR": "/runs",
    "IMAGEMILL_SIGNING_KEY": "/data/signing.pem",
    "IMAGEMILL_TTL_HOURS": "24",
    "IMAGEMILL_VGG19": "/weights/vgg19.safetensors",
    "IMAGEMILL_WEIGHTS": "private",
    "IMAGEMILL_WEIGHTS_DIR": "/weights",
    "IMAGEMILL_WORKER_MEMORY": "8g",
    "PROMETHEUS_IMAGE": "prometheus:2",
    "PROMETHEUS_PORT": "9091",
    "REDIS_IMAGE": "redis:7",
}


NOT_OFFERED = {"log_level", "reconcile_every_seconds", "shard_images"}
"""Settings of the API that users of containers do not need."""


def clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("IMAGEMILL_")]:
        monkeypatch.delenv(name)


def settings_of(name: str, service: dict[str, Any], monkeypatch: pytest.MonkeyPatch, password: Path) -> Environment:
    clear(monkeypatch)
    for variable, value in service["environment"].items():
        monkeypatch.setenv(variable, value.replace("/run/secrets/queue_password", str(password)))
    return Settings() if name == "api" else WorkerSettings()


def test_every_variable_is_tried() -> None:
    assert set(EVERYTHING) == VARIABLES


def test_the_api_container_takes_every_setting_of_the_api() -> None:
    offered = {variable.removeprefix("IMAGEMILL_").lower() for variable in services()["api"]["environment"]}
    assert offered == set(Settings.model_fields) - NOT_OFFERED


@pytest.mark.parametrize("variables", [{}, dict.fromkeys(EVERYTHING, ""), EVERYTHING], ids=["unset", "empty", "set"])
@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_each_process_can_read_its_settings(
    profile: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("word\n")
    found = {name: each for name, each in services(profile, variables).items() if name != "redis"}
    assert set(found) == {"api", f"worker-{profile}"}
    for name, service in found.items():
        read = settings_of(name, service, monkeypatch, password)
        assert {variable.removeprefix("IMAGEMILL_").lower() for variable in service["environment"]} <= set(
            type(read).model_fields
        )
        assert read.redis_password == b"word"
        assert read.log_format == (variables.get("IMAGEMILL_LOG_FORMAT") or "text")


def test_the_gpu_profile_takes_no_cpu_in_silence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("word")
    service = services("gpu")["worker-gpu"]
    read = settings_of("worker-gpu", service, monkeypatch, tmp_path / "password")
    assert isinstance(read, WorkerSettings)
    assert (read.device, read.learnt_mb, read.vgg19) == ("cuda", 2000, None)


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_each_gpu_gets_one_worker(count: int) -> None:
    workers = [each for name, each in services("gpu" if count == 1 else f"{count}-gpus").items() if "worker" in name]
    devices = [worker["deploy"]["resources"]["reservations"]["devices"] for worker in workers]
    assert [each["device_ids"] for [each] in devices] == [[str(gpu)] for gpu in range(count)]
    assert {worker["environment"]["IMAGEMILL_DEVICE"] for worker in workers} == {"cuda"}


@pytest.mark.parametrize("name", ["caddy", "prometheus", "grafana"])
def test_what_a_user_does_not_ask_for_is_not_started(name: str) -> None:
    assert not {"cpu", "gpu"} & set(services()[name]["profiles"])


def test_only_the_proxy_opens_ports_to_the_network() -> None:
    ports = {name: port for name, each in services().items() for port in each.get("ports", ())}
    assert [name for name, port in ports.items() if not port.startswith("127.0.0.1:")] == ["caddy"]


@pytest.mark.parametrize("name", services())
def test_each_container_is_confined(name: str) -> None:
    service = services()[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["mem_limit"]
    assert service["pids_limit"]


@pytest.mark.parametrize("name", services())
def test_no_container_shows_a_password(name: str) -> None:
    service = services(None, EVERYTHING)[name]
    shown = {**service.get("environment", {})}
    assert not any(re.search("PASSWORD(?!_FILE)|CLI_AUTH", variable) for variable in shown)
    assert not any("@" in str(value) for value in shown.values())


@pytest.mark.parametrize("name", services())
def test_the_log_of_a_container_is_limited(name: str) -> None:
    assert set(services()[name]["logging"]["options"]) == {"max-size", "max-file"}


def test_git_ignores_what_a_user_puts_beside_the_compose_file() -> None:
    ignored = (Path(__file__).parents[2] / ".gitignore").read_text().split()
    assert {"/.env", "/secrets/", "/checkpoints/", "/weights/"} <= set(ignored)
