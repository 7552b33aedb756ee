"""The Kubernetes manifests are valid, and name only what the service has."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.api import health_routes
from app.settings import Settings
from tests.compose import ROOT, services
from worker.contracts.environment import Environment
from worker.contracts.queue.counters import LABELS
from worker.settings import WorkerSettings

FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.30", "1.36")
"""The oldest version of Kubernetes that is supported, and a new one."""
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
BASE = [
    document
    for path in sorted((FOLDER / "base").glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in yaml.safe_load_all(path.read_text())
]
SCALING: dict[str, Any] = yaml.safe_load((FOLDER / "keda" / "workers.yaml").read_text())
GPU: dict[str, Any] = yaml.safe_load((FOLDER / "gpu" / "worker.yaml").read_text())
KUBECTL = shutil.which("kubectl")


def kustomization(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / name / "kustomization.yaml").read_text())
    return read


def workload(name: str) -> dict[str, Any]:
    (found,) = [each for each in BASE if each["metadata"]["name"] == name and "template" in each.get("spec", {})]
    spec: dict[str, Any] = found["spec"]["template"]["spec"]
    return spec


def container(name: str) -> dict[str, Any]:
    (found,) = workload(name)["containers"]
    assert isinstance(found, dict)
    return found


def shared_environment() -> dict[str, str]:
    (generated,) = kustomization("base")["configMapGenerator"]
    return dict(line.split("=", 1) for line in generated["literals"])


def rendered(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the documents that kubectl makes of a folder, with secrets for the example."""
    if KUBECTL is None:
        pytest.skip("kubectl is not here: the manifests were checked one by one, but not as Kustomize joins them")
    shutil.copytree(FOLDER, folder / "kubernetes")
    secrets = folder / "kubernetes" / "example" / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "queue_password").write_text("word")
    (secrets / "keys.json").write_text("{}")
    command = [KUBECTL, "kustomize", str(folder / "kubernetes" / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits_its_schema(version: str) -> None:
    assert len(BASE) > 10
    for document in BASE:
        kubernetes_validate.validate(document, version, strict=True)


def test_kustomize_joins_them_to_manifests_that_fit_their_schemas(tmp_path: Path) -> None:
    documents = rendered(tmp_path, "example")
    kinds = {(each["kind"], each["metadata"]["name"].rpartition("-")[0]) for each in documents}
    assert {("Secret", "queue"), ("Secret", "keys"), ("ConfigMap", "imagemill")} <= kinds
    for document in documents:
        if document["kind"] != "ScaledObject":
            kubernetes_validate.validate(document, VERSIONS[1], strict=True)
        if document["kind"] != "Namespace":
            assert document["metadata"]["namespace"] == "imagemill"
    made_names = {each["metadata"]["name"] for each in documents if each["kind"] in ("Secret", "ConfigMap")}
    workloads = [each for each in documents if each["kind"] in ("Deployment", "StatefulSet")]
    assert len(workloads) == 3
    for pod in (each["spec"]["template"]["spec"] for each in workloads):
        assert {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume} <= made_names
        sources = [source for each in pod["containers"] for source in each.get("envFrom", ())]
        assert {source["configMapRef"]["name"] for source in sources} <= made_names
    (worker,) = (each for each in documents if each["kind"] == "Deployment" and each["metadata"]["name"] == "worker")
    (made,) = worker["spec"]["template"]["spec"]["containers"]
    assert made["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert {each["name"] for each in made["env"]} == {"IMAGEMILL_THREADS", "IMAGEMILL_DEVICE"}
    assert made["image"].startswith("registry.example/")


def test_every_file_of_the_base_is_listed() -> None:
    listed = set(kustomization("base")["resources"])
    assert listed == {path.name for path in (FOLDER / "base").iterdir()} - {"kustomization.yaml"}


@pytest.mark.parametrize(("name", "settings"), [("api", Settings), ("worker", WorkerSettings)])
def test_every_variable_is_a_setting_of_its_process(
    name: str, settings: type[Environment], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "queue_password").write_text("word")
    for variable in [variable for variable in os.environ if variable.upper().startswith("IMAGEMILL_")]:
        monkeypatch.delenv(variable)
    own = {each["name"]: each.get("value", "2") for each in container(name)["env"]}
    if name == "worker":
        own |= {each["name"]: each["value"] for each in GPU["spec"]["template"]["spec"]["containers"][0]["env"]}
    given = shared_environment() | own
    documented = (ROOT / "docs" / "object-store.md").read_text()
    for variable, value in given.items():
        if variable.startswith("IMAGEMILL_"):
            assert variable.removeprefix("IMAGEMILL_").lower() in settings.model_fields
        else:
            assert f"`{variable}`" in documented
        monkeypatch.setenv(variable, value.replace("/run/secrets/queue", str(tmp_path)))
    read = settings()
    assert read.redis_password == b"word"
    assert read.store.startswith("s3://")


def test_the_secrets_are_mounted_where_the_variables_say() -> None:
    for name in ("api", "worker"):
        given = shared_environment() | {each["name"]: each.get("value", "") for each in container(name)["env"]}
        mounts = [mount["mountPath"] for mount in container(name)["volumeMounts"]]
        for path in (value for value in given.values() if value.startswith("/run/")):
            assert path.rpartition("/")[0] in mounts
    files = {file for secret in kustomization("example")["secretGenerator"] for file in secret["files"]}
    assert files == {"secrets/queue_password", "secrets/keys.json"}
    assert (FOLDER / "example" / ".gitignore").read_text() == "/secrets/\n"


def test_the_probes_ask_for_paths_that_exist() -> None:
    paths = {getattr(route, "path", "") for route in health_routes.router.routes}
    probes = {kind: container("api")[kind]["httpGet"]["path"] for kind in ("readinessProbe", "livenessProbe")}
    assert probes == {"readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    assert set(probes.values()) <= paths


def test_a_worker_is_checked_as_its_image_says() -> None:
    healthchecks = re.findall(r"^HEALTHCHECK .*?CMD (.*?)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)
    for kind in ("startupProbe", "livenessProbe"):
        assert container("worker")[kind]["exec"]["command"] == json.loads(healthchecks[1])


def test_the_queue_server_starts_as_in_the_compose_file() -> None:
    command = [part.replace("$$", "$") for part in services()["redis"]["command"]]
    assert [part.strip() for part in container("redis")["command"]] == [part.strip() for part in command]


@pytest.mark.parametrize("name", ["api", "worker", "redis"])
def test_a_pod_has_no_rights(name: str) -> None:
    pod, made = workload(name), container(name)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    user = services()["redis"]["user"].split(":")[0] if name == "redis" else re.findall(r"--uid (\d+)", DOCKERFILE)[0]
    assert pod["securityContext"]["runAsUser"] == int(user)
    assert not pod["automountServiceAccountToken"]
    assert not pod["enableServiceLinks"]
    assert made["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in made["resources"]["limits"]


def test_nothing_passes_the_network_that_is_not_named() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in BASE if each["kind"] == "NetworkPolicy"}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert all(rule.get("from") and rule.get("ports") for each in policies.values() for rule in each.get("ingress", ()))
    names = {each["name"] for app in ("api", "redis") for each in container(app)["ports"]}
    opened = {port["port"] for each in policies.values() for rule in each.get("ingress", ()) for port in rule["ports"]}
    assert opened == names


def test_workers_are_scaled_by_metrics_that_exist() -> None:
    (trigger,) = SCALING["spec"]["triggers"]
    query = trigger["metadata"]["query"]
    counted = {f"imagemill_{name}_total": labels for name, labels in LABELS.items()}
    collector = (ROOT / "app" / "cluster" / "prometheus.py").read_text()
    assert '"imagemill_queue_tasks", "Tasks in the queue.", labels=("numerics", "jobs")' in collector
    known = counted | {"imagemill_queue_tasks": ("numerics", "jobs")}
    read = re.findall(r"max by \(([\w, ]+)\) \((?:rate\()?(\w+)", query)
    assert {name for _, name in read} == {"imagemill_stage_seconds_total", "imagemill_queue_tasks"}
    assert len(re.findall(r"imagemill_\w+", query)) == len(read)
    for labels, name in read:
        assert tuple(labels.split(", ")) == known[name]
    assert SCALING["spec"]["scaleTargetRef"]["name"] == GPU["metadata"]["name"] == "worker"
    assert SCALING["spec"]["minReplicaCount"] >= 1
