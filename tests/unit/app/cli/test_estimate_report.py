from typing import Any

import pytest

from app.cli.estimate_report import is_large, print_estimate, print_note
from app.cli.terminal import Terminal
from app.client import Estimate

FIELDS = {
    "model": "faces-64",
    "n": 500,
    "tries": {"expected": 1000, "low": 960, "high": 1040},
    "bytes": {"expected": 4_500_000, "low": 4_200_000, "high": 4_800_000},
    "seconds": {"total": 75.2, "waiting": 70, "learning": 0, "rendering": 5, "closing": 0.2},
    "disk": {"reserved": 6_700_000, "free": None},
    "quota": {"images": 1000, "images_left": 5000, "jobs_left": None},
    "hours_kept": 168,
    "fits": {"now": False, "disk": {"status": 507, "code": "disk_low", "detail": "this may need more"}},
    "notes": ["a note"],
}


def estimate(**changes: Any) -> Estimate:
    return Estimate.model_validate(FIELDS | changes)


def test_all_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_estimate(estimate(), Terminal())
    assert capsys.readouterr().out.splitlines() == [
        "500 images from faces-64; nothing was created",
        "time    about 1 min 15 s (1 min 10 s waiting)",
        "archive 4.5 MB (4.2 MB to 4.8 MB)",
        "tries   1000 images (960 to 1040) are rendered to find 500",
        "disk    6.7 MB are reserved until the job ends",
        "quota   1000 of the 5000 images that the key has left",
        "kept    168 hours",
        "refused this may need more",
        "note    a note",
    ]


def test_unknown_figures_are_said_to_be_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    print_note(estimate(seconds=None, bytes=None), Terminal())
    assert capsys.readouterr().err == "estimate: an unknown time, an unknown size, kept for 168 hours\n"


@pytest.mark.parametrize(
    ("changes", "large"),
    [
        ({}, True),
        ({"seconds": None}, False),
        ({"seconds": None, "n": 10_000}, True),
        ({"seconds": None, "bytes": None, "n": 10_000}, False),
        ({"seconds": None, "bytes": {"expected": 2 * 10**9, "low": 1, "high": 3 * 10**9}}, True),
    ],
)
def test_a_job_is_large_by_its_time_size_or_number_of_images(changes: dict[str, Any], large: bool) -> None:
    assert is_large(estimate(**changes)) is large
