import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args

import onnx
import onnxruntime
import pytest
import torch
import typer
from torch import nn
from typer.testing import CliRunner

from models import checkpoint, latents
from models.checkpoint import Header
from models.registry import Architecture, build_generator, zoo
from tests.command import COMMAND, ENVIRONMENT
from training import export
from training import onnx as onnx_file
from training.errors import ExportError

pytestmark = pytest.mark.slow

ARCHITECTURES = get_args(Architecture.model_fields["name"].annotation)
TOLERANCE = 5e-5
"""In [-1, 1]. The runtimes add up the same float32 products in another order, which came to 3e-6 at most where this was
written; other CPUs may sum in blocks of another size. One of 256 levels is 8e-3."""


def model(name: str, classes: int, sphere: bool = False) -> tuple[Header, nn.Module]:
    """A generator of random weights, large enough for images that differ."""
    labels = tuple(f"class {k}" for k in range(classes))
    values = {"name": name, "resolution": 32, "latent_dim": 16, "channels": 8, "classes": classes, "sphere": sphere}
    architecture = Architecture.model_validate(values)
    header = Header(
        name=f"tiny-{name}",
        architecture=architecture,
        classes=labels,
        data=checkpoint.DataCredit(name="noise", licence="CC0-1.0", images=1),
        training=checkpoint.Training(images_seen=0, minutes=0, device="cpu"),
        metrics={},
        recipe={},
        versions={},
    )
    torch.manual_seed(1)
    generator = build_generator(architecture).eval().requires_grad_(False)
    if name == "dcgan":
        for weights in (weights for weights in generator.parameters() if weights.dim() > 1):
            nn.init.normal_(weights, 0, 0.1)
    return header, generator


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_makes_the_same_images_elsewhere(tmp_path: Path, name: str, classes: int) -> None:
    header, generator = model(name, classes)
    onnx_file.write(tmp_path / "out.onnx", header, generator)
    session = onnxruntime.InferenceSession(tmp_path / "out.onnx", providers=["CPUExecutionProvider"])
    for batch in (1, 3, 17):
        z = latents.sample(header.latent_dim, 5, range(batch))
        labels = torch.arange(batch) % classes if classes else None
        feed = {"z": z.numpy()} | ({} if labels is None else {"labels": labels.numpy()})
        (found,) = session.run(["images"], feed)
        expected = generator(z, labels)
        assert expected.std() > 0.05
        assert found.shape == (batch, 3, 32, 32)
        assert abs(found - expected.numpy()).max() < TOLERANCE
    assert onnx_file.difference(tmp_path / "out.onnx", header, generator) < TOLERANCE


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_latents_on_a_sphere_are_projected_in_the_file(tmp_path: Path, name: str) -> None:
    header, generator = model(name, 0, sphere=True)
    onnx_file.write(tmp_path / "out.onnx", header, generator)
    session = onnxruntime.InferenceSession(tmp_path / "out.onnx", providers=["CPUExecutionProvider"])
    z = latents.sample(header.latent_dim, 5, range(2))
    short, long = (session.run(None, {"z": (factor * z).numpy()})[0] for factor in (0.5, 3))
    assert abs(short - long).max() < TOLERANCE
    assert abs(long - generator(z).numpy()).max() < TOLERANCE


def test_a_difference_is_seen(tmp_path: Path) -> None:
    header, generator = model("dcgan", 0)
    onnx_file.write(tmp_path / "out.onnx", header, generator)
    next(generator.parameters()).mul_(1.01)
    assert onnx_file.difference(tmp_path / "out.onnx", header, generator) > 10 * TOLERANCE


def test_the_file_says_what_it_is_and_nothing_of_the_machine(tmp_path: Path) -> None:
    header, generator = model("dcgan", 3)
    onnx_file.write(tmp_path / "out.onnx", header, generator)
    found = onnx.load(tmp_path / "out.onnx")
    said = {entry.key: entry.value for entry in found.metadata_props}
    assert json.loads(said.pop("classes")) == ["class 0", "class 1", "class 2"]
    assert said == {
        "name": "tiny-dcgan",
        "data": "noise",
        "licence": "CC0-1.0",
        "latent_dim": "16",
        "format_version": "1",
    }
    assert [value.name for value in found.graph.input] == ["z", "labels"]
    axes = [
        [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in found.graph.input
    ]
    assert axes == [["n", 16], ["n"]]
    data = (tmp_path / "out.onnx").read_bytes()
    assert str(Path(torch.__file__).parent).encode() not in data
    assert str(Path(checkpoint.__file__).parent).encode() not in data


def test_the_same_model_makes_the_same_file(tmp_path: Path) -> None:
    header, generator = model("dcgan", 0)
    for name in ("a", "b"):
        onnx_file.write(tmp_path / name, header, generator)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_generator_beyond_what_a_file_holds_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header, generator = model("dcgan", 0)
    monkeypatch.setattr(onnx_file, "_MOST_BYTES", 1000)
    with pytest.raises(ExportError, match="bytes of weights; an ONNX file holds at most 1,000"):
        onnx_file.write(tmp_path / "out.onnx", header, generator)
    assert list(tmp_path.iterdir()) == []


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(export.export)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_the_command_exports_a_shipped_model_and_says_how_close_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = run("faces-64")
    assert code == 0
    assert said.startswith("faces-64.onnx: 9.1 MB\n")
    difference = float(said.split("at most ")[1].split(" apart")[0])
    assert 0 < difference < TOLERANCE
    assert [path.name for path in tmp_path.iterdir()] == ["faces-64.onnx"]


def test_the_command_exports_a_file_to_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header, generator = model("dcgan", 3)
    checkpoint.save(tmp_path / "mine.safetensors", header, generator)
    monkeypatch.setattr(export, "find_spec", lambda _name: None)
    code, said = run(str(tmp_path / "mine.safetensors"), "--onnx", str(tmp_path / "there" / "mine.onnx"))
    assert code == 0
    assert "not compared with PyTorch: onnxruntime is not installed" in said
    assert (tmp_path / "there" / "mine.onnx").exists()


@pytest.mark.parametrize("name", [".", "folder", "mine.safetensors"])
def test_an_output_that_cannot_be_written_is_refused_before_the_work_by_the_name_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    header, generator = model("dcgan", 0)
    checkpoint.save(tmp_path / "mine.safetensors", header, generator)
    before = (tmp_path / "mine.safetensors").read_bytes()
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr(onnx_file, "write")
    code, said = run("mine.safetensors", "--onnx", name)
    assert code == 1
    assert said in (
        f"Error: Is a directory: {name}\n",
        f"Error: {name}: is also the input; choose another name\n",
    )
    assert (tmp_path / "mine.safetensors").read_bytes() == before


def test_ctrl_c_ends_an_export_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "export", "faces-64", "--onnx", tmp_path / "out.onnx"],
        env=ENVIRONMENT | {"PYTHONUNBUFFERED": "1", "PYTHONPROFILEIMPORTTIME": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        for line in process.stderr:  # the exporter is being loaded: its interrupts become a page
            if "torch.onnx._internal.exporter" in line:
                break
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert (process.returncode, said.strip()) == (130, "stopped")
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_is_not_there_is_a_sentence_with_those_that_are() -> None:
    code, said = run("faces-63")
    assert code == 1
    assert f"no checkpoint 'faces-63': neither a file nor a shipped model ({', '.join(zoo())})" in said


def test_without_onnx_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    code, said = run("faces-64", "--onnx", str(tmp_path / "out.onnx"))
    assert code == 1
    assert "Error: not installed: onnxscript (pip install 'imagemill[training]')" in said
