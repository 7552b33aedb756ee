"""Encoding in real processes: the same files as in a thread, and no process outlives its worker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.unit.conftest import MakeSpec
from worker.contracts.formats import Format
from worker.contracts.jobs import JobSpec
from worker.rendering.encoder_pool import EncoderPool
from worker.rendering.image_files import ImageEncoder


@pytest.fixture(scope="module")
def pool() -> Iterator[EncoderPool]:
    with EncoderPool(2) as pool:
        yield pool


@pytest.fixture
def images() -> Tensor:
    levels = torch.randint(0, 256, (40, 3, 32, 32), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    return levels.contiguous(memory_format=torch.channels_last)


def spec_of(make_spec: MakeSpec, image_format: Format) -> JobSpec:
    update = {"format": image_format, "archive_version": 4, "marking": "xmp-1" if image_format != "npz" else "none"}
    return make_spec(n=100).model_copy(update=update)


@pytest.mark.parametrize("image_format", ["png", "webp", "jpeg", "npz"])
def test_processes_make_the_files_of_a_thread(
    pool: EncoderPool, make_spec: MakeSpec, images: Tensor, image_format: Format
) -> None:
    spec, indices = spec_of(make_spec, image_format), range(30, 70)
    found = pool.encode(spec, indices, images)
    assert found == ImageEncoder(spec).encode(indices, images)
    assert [image.index for image in found] == list(indices)


def test_some_images_of_a_batch_keep_their_indices(pool: EncoderPool, make_spec: MakeSpec, images: Tensor) -> None:
    spec, indices = spec_of(make_spec, "png"), [3, 17, 18]
    assert [image.index for image in pool.encode(spec, indices, images[:3])] == indices


def test_a_killed_process_is_replaced(make_spec: MakeSpec, images: Tensor) -> None:
    spec = spec_of(make_spec, "png")
    with EncoderPool(1) as pool:
        before = pool.encode(spec, range(40), images)
        (process,) = pool._executor._processes
        os.kill(process, signal.SIGKILL)
        assert pool.encode(spec, range(40), images) == before


def test_all_processes_start_before_the_first_images() -> None:
    with EncoderPool(3) as pool:
        deadline = time.monotonic() + 60
        while len(pool._executor._processes) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(pool._executor._processes) == 3


def test_a_pool_that_ends_at_once_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with EncoderPool(2):
        pass
    time.sleep(1)  # the thread that starts processes may go on
    assert capfd.readouterr().err == ""


_OWNER = """
import time
from worker.rendering.encoder_pool import EncoderPool

if __name__ == "__main__":
    pool = EncoderPool(2)
    for _ in range(2):
        pool._executor.submit(time.sleep, 0.2)
    print(*pool._executor._processes, flush=True)
    time.sleep(60)
"""


def test_processes_end_when_their_worker_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(_OWNER, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    ) as worker:
        assert worker.stdout is not None
        processes = [int(each) for each in worker.stdout.readline().split()]
        worker.kill()
        worker.wait()
    assert processes
    deadline = time.monotonic() + 20
    while any(map(_is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_is_alive, processes))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
