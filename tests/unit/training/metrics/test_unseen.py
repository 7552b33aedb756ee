import pytest

from models import checkpoint
from models.checkpoint import DataCredit, Header
from models.registry import Architecture
from training.dataset.dataset_files import Dataset
from training.metrics import unseen


def header(sha256: str, **recipe: str) -> Header:
    return Header(
        name="pets-32",
        architecture=Architecture(name="dcgan", resolution=32, latent_dim=8, channels=4, classes=0),
        classes=(),
        data=DataCredit(name="pets", licence="CC0", images=24, sha256=sha256),
        training=checkpoint.Training(images_seen=1, device="a CPU"),
        metrics={},
        recipe={"name": "dcgan", **recipe},
        versions={},
    )


def test_a_model_of_this_training_part_cannot_have_seen_the_held_out_images(dataset: Dataset) -> None:
    assert not unseen.reason_for_doubt(header(dataset.description.sha256), dataset.description)


@pytest.mark.parametrize(
    ("sha256", "recipe", "reason"),
    [
        ("", {}, "the checkpoint of pets-32 does not tell which images it was trained on"),
        ("ab" * 32, {}, "pets-32 was trained on other data (sha256 abababababab)"),
        (None, {"begun_from": "faces-64"}, "pets-32 began with the weights of faces-64"),
    ],
)
def test_every_other_model_is_doubted(
    dataset: Dataset, sha256: str | None, recipe: dict[str, str], reason: str
) -> None:
    sha256 = dataset.description.sha256 if sha256 is None else sha256
    assert unseen.reason_for_doubt(header(sha256, **recipe), dataset.description) == reason
