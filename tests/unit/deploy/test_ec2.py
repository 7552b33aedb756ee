"""The files for EC2 fit each other, the Compose file and the rules of a safe instance."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import hcl2
import pytest
import yaml
from hcl2.utils import SerializationOptions

from tests.compose import ROOT, VARIABLES, services

FOLDER = ROOT / "deploy" / "ec2"
HCL = {path.name: path.read_text() for path in sorted(FOLDER.glob("*.tf"))}
PLAIN = SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)
DOCUMENTS = [hcl2.loads(text, serialization_options=PLAIN) for text in HCL.values()]
INSTALL = (FOLDER / "install.sh").read_text()
CLOUD_INIT = (FOLDER / "cloud-init.yaml").read_text()
BUCKET_VARIABLES = {"BUCKET_URL", "AWS_REGION"}
OF_COMPOSE_ITSELF = {"COMPOSE_FILE", "COMPOSE_PROFILES"}


def blocks(sort: str) -> dict[str, Any]:
    """Return all blocks of a sort, like `variable`, by name."""
    return {name: body for document in DOCUMENTS for each in document.get(sort, ()) for name, body in each.items()}


def resources(kind: str) -> dict[str, Any]:
    """Return the resources of a kind, by name."""
    found = [each[kind] for document in DOCUMENTS for each in document.get("resource", ()) if kind in each]
    return {name: body for each in found for name, body in each.items()}


def test_every_variable_has_a_default_and_a_sentence() -> None:
    variables = blocks("variable")
    assert len(variables) > 5
    for name, body in variables.items():
        assert "default" in body, name
        assert re.fullmatch(r"[A-Z].{20,}\.", body["description"]), name


def test_the_used_variables_are_the_declared_ones() -> None:
    assert set(re.findall(r"\bvar\.(\w+)", "".join(HCL.values()))) == set(blocks("variable"))


def test_every_resource_that_is_named_exists() -> None:
    declared = {
        (kind, name)
        for document in DOCUMENTS
        for sort in ("resource", "data")
        for each in document.get(sort, ())
        for kind, named in each.items()
        for name in named
    }
    named = {match for text in HCL.values() for match in re.findall(r"\b(aws_\w+)\.(\w+)(?=[\].)\n])", text)}
    assert len(named) > 10
    assert named <= declared


def test_the_metadata_service_needs_a_token() -> None:
    ((options,),) = [each["metadata_options"] for each in resources("aws_instance").values()]
    assert options["http_tokens"] == "required"
    # Two hops lead into containers, which need the role for the bucket only.
    assert options["http_put_response_hop_limit"] == '${var.store == "bucket" ? 2 : 1}'


def test_no_port_but_443_is_open_and_only_to_chosen_addresses() -> None:
    rules = resources("aws_vpc_security_group_ingress_rule")
    assert [(rule["from_port"], rule["to_port"]) for rule in rules.values()] == [(443, 443)]
    assert [rule["for_each"] for rule in rules.values()] == ["${toset(var.https_from)}"]
    assert blocks("variable")["https_from"]["default"] == []
    (group,) = resources("aws_security_group").values()
    assert not {"ingress", "egress"} & set(group)
    assert not resources("aws_security_group_rule")


def test_disk_and_bucket_survive_the_instance() -> None:
    for kind in ("aws_ebs_volume", "aws_s3_bucket"):
        ((lifecycle,),) = [each["lifecycle"] for each in resources(kind).values()]
        assert lifecycle["prevent_destroy"] is True
    (disk,) = resources("aws_ebs_volume").values()
    assert disk["encrypted"] is True
    (rules,) = resources("aws_s3_bucket_lifecycle_configuration").values()
    assert [rule["abort_incomplete_multipart_upload"][0]["days_after_initiation"] for rule in rules["rule"]] == [1]
    assert not any("expiration" in rule for rule in rules["rule"])
    (access,) = resources("aws_s3_bucket_public_access_block").values()
    assert [value for value in access.values() if isinstance(value, bool)] == [True] * 4


def test_the_role_may_do_what_the_store_needs_and_no_more() -> None:
    granted = set(re.findall(r'"(s3:\w+)"', HCL["role.tf"]))
    documented = (ROOT / "docs" / "object-store.md").read_text()
    assert granted == set(re.findall(r"`(s3:\w+)`", documented))


def test_the_user_data_get_what_they_name() -> None:
    (template,) = re.findall(r"templatefile\(.*?\{\n(.*?)\n  \}\)", HCL["main.tf"], re.DOTALL)
    given = set(re.findall(r"^    (\w+) +=", template, re.MULTILINE))
    assert given == set(re.findall(r"\$\{(\w+)\}", CLOUD_INIT))


def test_the_user_data_are_a_cloud_config_that_writes_what_the_script_reads() -> None:
    assert CLOUD_INIT.startswith("#cloud-config\n")
    config = yaml.safe_load(CLOUD_INIT)
    assert set(config) == {"write_files", "runcmd"}
    written = {file["path"]: file for file in config["write_files"]}
    assert set(re.findall(r"/etc/imagemill/\S+?\.env", INSTALL)) == set(written)
    assert {file["permissions"] for file in written.values()} == {"0600"}
    # Without settings, the content is empty, but a text.
    empty = yaml.safe_load(re.sub(r"\$\{\w+\}", "", CLOUD_INIT))
    assert [type(file["content"]) for file in empty["write_files"]] == [str, str]
    variables = set(re.findall(r"^(\w+)=", written["/etc/imagemill/ec2.env"]["content"], re.MULTILINE))
    assert variables == {"VOLUME_ID", "PROFILE", "DOMAIN", *BUCKET_VARIABLES}
    assert all(re.search(rf"\$\{{?{name}\b", INSTALL) for name in variables)
    started = config["runcmd"][-1][-1]
    assert (ROOT / started.removeprefix("/opt/imagemill/")).is_file()


def test_compose_knows_what_the_script_writes() -> None:
    (lines,) = re.findall(r"<< END\n(.*?)\nEND\n", INSTALL, re.DOTALL)
    written = {line.partition("=")[0] for line in lines.splitlines()}
    assert written <= VARIABLES | OF_COMPOSE_ITSELF | BUCKET_VARIABLES
    assert {"IMAGEMILL_KEYS", "IMAGEMILL_QUEUE_PASSWORD_FILE"} <= written
    (condition,) = (rule["condition"] for rule in blocks("variable")["profile"]["validation"])
    profiles = set(re.findall(r'"([\w-]+)"', condition))
    known = {profile for service in services().values() for profile in service.get("profiles", ())}
    assert profiles == known - {"tls", "monitoring"}
    assert "caddy" in services(*re.findall(r"profiles=\$profiles,(\w+)", INSTALL))


def test_the_added_compose_files_change_only_what_exists() -> None:
    named = set(re.findall(r"[\w./-]*\.yml", INSTALL))
    assert {"docker-compose.yml", "deploy/ec2/compose.yml", "deploy/ec2/compose.bucket.yml"} == named
    whole = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    for name in named:
        added = yaml.safe_load((ROOT / name).read_text())
        for part in ("services", "volumes", "networks"):
            assert set(added.get(part, {})) <= set(whole[part]), name
    disks = yaml.safe_load((FOLDER / "compose.yml").read_text())["volumes"]
    assert set(disks) == set(whole["volumes"]) - {"metrics"}
    added = yaml.safe_load((FOLDER / "compose.bucket.yml").read_text())["services"]
    assert set(added) == {name for name in whole["services"] if name == "api" or name.startswith("worker-")}
    lines = re.findall(r"^ *install -d .*$", INSTALL, re.MULTILINE)
    made = {folder for line in lines for folder in re.findall(r"\$data/(\w+)", line)}
    assert {volume["driver_opts"]["device"].rpartition("/")[2] for volume in disks.values()} <= made


def test_the_containers_may_use_their_folders() -> None:
    owners = dict(re.findall(r'install -d -m 700 -o (\d+) -g \d+ "\$data/(\w+)"', INSTALL))
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text()
    assert owners == {re.findall(r"--uid (\d+)", dockerfile)[0]: "artifacts", "999": "queue"}
    assert services()["redis"]["user"].startswith("999:")


def test_the_units_run_files_that_exist() -> None:
    units = {path.name: path.read_text() for path in FOLDER.iterdir() if path.suffix in (".service", ".timer")}
    assert set(units) == {"imagemill.service", "imagemill-spot.service", "imagemill-spot.timer"}
    for text in units.values():
        for path in re.findall(r"/opt/imagemill/(\S+)", text):
            assert (ROOT / path).is_file()
    assert "install -m 644 -t /etc/systemd/system deploy/ec2/imagemill{.service,-spot.service,-spot.timer}" in INSTALL
    grace = max(int(service["stop_grace_period"].rstrip("s")) for service in services().values() if "build" in service)
    assert int(re.findall(r"TimeoutStopSec=(\d+)", units["imagemill.service"])[0]) > grace


@contextmanager
def metadata_service(status: int) -> Iterator[str]:
    """Serve what the metadata service of a spot instance answers: `status`, and 401 without a token."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            is_asked = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
            self.answer(200 if is_asked else 400, b"the-token")

        def do_GET(self) -> None:
            has_token = self.headers["X-aws-ec2-metadata-token"] == "the-token"
            is_notice = self.path == "/latest/meta-data/spot/instance-action"
            self.answer(status if has_token and is_notice else 401, b"{}")

        def answer(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the instance has curl, and this machine has not")
@pytest.mark.parametrize(
    ("answered", "code", "stopped"), [(404, 0, ""), (200, 0, "stop imagemill.service\n"), (500, 1, "")]
)
def test_a_spot_notice_stops_the_service(tmp_path: Path, answered: int, code: int, stopped: str) -> None:
    called = tmp_path / "called"
    called.touch()
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {called}\n')
    (tmp_path / "systemctl").chmod(0o755)
    with metadata_service(answered) as url:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "METADATA": url}
        script = ["sh", str(FOLDER / "stop_on_notice.sh")]
        done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, called.read_text()) == (code, stopped), done.stderr


@pytest.mark.parametrize("command", [["shellcheck"], ["bash", "-n"]], ids=["shellcheck", "bash"])
def test_the_scripts_are_valid(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not here")
    for script in sorted(FOLDER.glob("*.sh")):
        subprocess.run([*command, str(script)], check=True, timeout=20)


def test_terraform_would_not_format_the_files_otherwise() -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not here")
    subprocess.run(["terraform", "fmt", "-check", "-diff", str(FOLDER)], check=True, timeout=20, capture_output=True)
