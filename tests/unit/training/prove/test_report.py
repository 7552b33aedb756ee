import pytest

from training.prove import report
from training.prove.measurement import ARMS, Result
from training.prove.statistics import Accuracy


def accuracy(mean: float) -> Accuracy:
    return Accuracy(mean, (mean, mean), (mean - 0.02, mean + 0.02), (mean, mean))


def result(synthetic: float, **real: float) -> Result:
    accuracies = {int(name[1:]): dict.fromkeys(ARMS, accuracy(mean)) for name, mean in real.items()}
    return Result("probe", accuracy(synthetic), accuracies, {}, {})


@pytest.mark.parametrize(
    ("synthetic", "amount"),
    [
        (0.4, "less than 5 real images per class"),
        (0.5, "as much as 5 to 25 real images per class"),
        (0.65, "as much as 25 to 100 real images per class"),
        (0.9, "at least as much as 100 real images per class"),
    ],
)
def test_synthetic_images_alone_are_compared_with_a_number_of_real_ones(synthetic: float, amount: str) -> None:
    made = report.worth(result(synthetic, k5=0.5, k25=0.6, k100=0.8))
    assert made == f"synthetic images alone reach {100 * synthetic:.1f} %, {amount}"
