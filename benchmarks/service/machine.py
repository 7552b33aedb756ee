"""The machine of a benchmark: its device, and the versions of the packages."""

import json
import platform
import subprocess
from importlib import metadata
from pathlib import Path

_OWN = ("imagemill", "torch", "pillow", "fastapi", "uvicorn", "httpx")
_PEERS = ("litserve", "bentoml")
_ASK = (
    "import json, sys; from importlib.metadata import version; print(json.dumps({n: version(n) for n in sys.argv[1:]}))"
)


class PeersError(Exception):
    """The peers' environment lacks a package."""


def device() -> str:
    """Return the processor, the number of usable cores, and the GPU if there is one."""
    import torch

    from worker.main import cores

    processor = f"{_processor()}, {cores()} cores"
    return f"{torch.cuda.get_device_name()}; {processor}" if torch.cuda.is_available() else processor


def own_versions() -> dict[str, str]:
    """Return the versions of Python and of our engines' packages."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _OWN}}


def peer_versions(python: Path) -> dict[str, str]:
    """Return the versions of the peers. Raises PeersError if one is missing."""
    try:
        done = subprocess.run([python, "-c", _ASK, *_PEERS], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PeersError(f"{python} is no Python with {' and '.join(_PEERS)}") from error
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
