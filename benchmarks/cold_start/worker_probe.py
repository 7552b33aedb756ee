"""`python -m benchmarks.cold_start.worker_probe`: starts like a worker, and prints the seconds of each step as JSON."""

import json
import time

_began = time.perf_counter()
import torch  # noqa: E402

_with_torch = time.perf_counter()
from worker import main  # noqa: E402
from worker.rendering.device import choose_device  # noqa: E402
from worker.rendering.engine import RenderEngine, find_checkpoints  # noqa: E402

_imported = time.perf_counter()


def run() -> None:
    """Run the steps of worker.main that come before the connection to Redis."""
    torch.set_num_threads(1)
    runtime = RenderEngine(find_checkpoints(None), choose_device("auto"), main.cores())
    loaded = time.perf_counter()
    runtime.warm_up()
    warm = time.perf_counter()
    steps = {
        "import torch": _with_torch - _began,
        "other imports": _imported - _with_torch,
        "load checkpoints": loaded - _imported,
        "warm up": warm - loaded,
    }
    print(json.dumps(steps))  # noqa: T201


if __name__ == "__main__":
    run()
