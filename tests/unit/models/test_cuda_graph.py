"""Recording without a GPU: which streams it uses. The recording itself is tested on a GPU."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest
import torch

from models import cuda_graph


class Stream(NamedTuple):
    """A stream of a device that this machine lacks."""

    number: int


def test_each_thread_records_on_one_stream_for_each_device(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Stream] = []

    def new_stream() -> Stream:
        made.append(Stream(len(made)))
        return made[-1]

    device = 0
    monkeypatch.setattr(cuda_graph, "_new_stream", new_stream)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: device)
    with ThreadPoolExecutor(1) as other:
        found = [cuda_graph._side_stream(), cuda_graph._side_stream(), other.submit(cuda_graph._side_stream).result()]
        device = 1
        found.append(other.submit(cuda_graph._side_stream).result())
    assert found == [Stream(0), Stream(0), Stream(1), Stream(2)]
