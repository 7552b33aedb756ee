import tomllib
from pathlib import Path

import pytest

from models import checkpoint
from models.checkpoint import Header
from models.registry import Architecture
from tests.unit.training.record.conftest import MakeLine
from training.metrics.figures import Provenance
from training.metrics.report import Report
from training.record import model_card


def header(classes: tuple[str, ...] = ("cat", "dog"), metrics: dict[str, float] | None = None) -> Header:
    return Header(
        name="pets-32",
        architecture=Architecture(name="dcgan", resolution=32, latent_dim=8, channels=4, classes=len(classes)),
        classes=classes,
        data=checkpoint.DataCredit(name="pets", licence="CC0 | or so", images=240),
        training=checkpoint.Training(images_seen=1200, minutes=3.2, device="a CPU"),
        metrics=metrics or {},
        recipe={"name": "dcgan", "seed": 3, "betas": [0.5, 0.999], "mirror": True, "minutes": None},
        versions={"torch": "2.15"},
    )


@pytest.fixture
def report() -> Report:
    made = Provenance(
        extractor="efflite0",
        resize="bicubic",
        dataset="pets",
        dataset_sha256="ab" * 32,
        reals=240,
        fakes=10_000,
        manifold=240,
    )
    return Report(
        model="pets-32",
        model_sha256="cd" * 32,
        seed=7,
        device="a CPU",
        seconds=3,
        figures={"fd_efflite0": 31.25},
        floor={"fd_efflite0": 4.5},
        intervals={"fd_efflite0": (30.0, 32.5)},
        notes=("few samples",),
        provenance=made,
    )


def test_a_card_says_what_the_model_is_and_where_its_samples_are() -> None:
    text = model_card.render(header(), [], figures="log.jsonl")
    assert text.startswith("# pets-32\n\n![Samples of pets-32, not selected](pets-32.png)\n")
    for fact in (
        "latents 0 to 71 of seed 0, class by class, not selected",
        "`POST /generate?model=pets-32&n=72&seed=0`",
        "| classes | cat, dog |",
        "| data | pets, 240 images |",
        "| licence of the data | CC0 \\| or so |",
        "| images seen | 1,200 |",
        "3 minutes on a CPU",
        "[log.jsonl](log.jsonl)",
    ):
        assert fact in text
    for absent in ("## Metrics", "## Events", "## Curves", "## Walks"):
        assert absent not in text


def test_a_model_without_classes_says_so() -> None:
    assert "| classes | none (unconditional) |" in model_card.render(header(()), [])


def test_the_recipe_is_toml_without_what_was_not_set() -> None:
    text = model_card.render(header(), [])
    recipe = tomllib.loads(text.split("```toml\n")[1].split("```")[0])
    assert recipe == {"name": "dcgan", "seed": 3, "betas": [0.5, 0.999], "mirror": True}


def test_figures_stand_beside_those_of_real_images_with_all_that_makes_them_comparable(report: Report) -> None:
    text = model_card.render(header(metrics={"fd_efflite0": 87.0}), [], report)
    assert (
        "|  | pets-32 | 95% | real images |\n| --- | --- | --- | --- |\n| fd_efflite0 | 31.25 | 30 to 32.5 | 4.5 |"
        in text
    )
    assert "- few samples" in text
    assert "87" not in text
    for fact in ("10,000 samples (seed 7)", "240 images of pets", "efflite0 (resize: bicubic)", "k = 5", "ab" * 32):
        assert fact in text


def test_a_card_tells_of_held_out_images(report: Report) -> None:
    data = checkpoint.DataCredit(name="pets", licence="CC0", images=240, held_out=60)
    unseen = report.provenance.model_copy(update={"training_sha256": "ef" * 32})
    text = model_card.render(
        header().model_copy(update={"data": data}), [], report.model_copy(update={"provenance": unseen})
    )
    assert "| data | pets, 240 images, and 60 held out |" in text
    assert "against the 240 held-out images of pets" in text
    assert "held" not in model_card.render(header(), [], report)


def test_figures_alone_make_a_table_too() -> None:
    assert "|  | pets-32 |\n| --- | --- |\n| fd_efflite0 | 31.5 |" in model_card.render(
        header(metrics={"fd_efflite0": 31.5}), []
    )


def test_what_a_guard_did_before_this_checkpoint_is_told(make_line: MakeLine) -> None:
    lines = [make_line(seen, events=(f"went back {seen}",)) for seen in (600, 1200, 1800)]
    text = model_card.render(header(), lines)
    assert "## Events\n\n- 600 images: went back 600\n- 1,200 images: went back 1200\n" in text
    assert "1800" not in text


def test_pictures_are_shown_where_there_are_any() -> None:
    text = model_card.render(header(), [], strip="pets-32-strip.png", plots="plots.png")
    assert "](pets-32-strip.png)" in text
    assert "](plots.png)" in text


def test_a_card_links_to_the_files_that_bear_its_model_s_name(tmp_path: Path) -> None:
    for name in ("pets-32-plots.png", "plots.png", "pets-32.jsonl"):
        (tmp_path / name).touch()
    model_card.write(tmp_path, header())
    text = (tmp_path / "pets-32.md").read_text(encoding="utf-8")
    assert "](pets-32-plots.png)" in text
    assert "](pets-32.jsonl)" in text


def test_a_card_is_written_beside_its_checkpoint_with_the_pictures_that_are_there(
    tmp_path: Path, report: Report
) -> None:
    (tmp_path / "pets-32-strip.png").touch()
    model_card.write(tmp_path, header(), report)
    text = (tmp_path / "pets-32.md").read_text(encoding="utf-8")
    assert "](pets-32-strip.png)" in text
    assert "plots.png" not in text
    assert "Every epoch" not in text
    assert "| fd_efflite0 | 31.25 | 30 to 32.5 | 4.5 |" in text
