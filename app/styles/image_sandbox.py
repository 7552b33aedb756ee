"""Decodes and shrinks an uploaded image in a process of its own, with limits of CPU time and memory.

A decompression bomb then only ends that process.
"""

import os
import resource
import subprocess
import sys

from PIL import Image

from imagemill.start import command
from worker.contracts.uploaded_images import PictureError, UnknownFormatError, normalised

_MAX_CPU_SECONDS = 5
"""Limit of CPU time. A crafted file of a few megabytes can keep a decoder busy for hours.

The largest accepted image takes about a second.
"""
_MAX_MEMORY_BYTES = 3 << 29
"""Limit of memory, 1.5 GiB. The largest accepted image needs half of it."""
_ERRORS = {3: UnknownFormatError, 4: PictureError}


def decode_in_sandbox(data: bytes, side: int) -> Image.Image:
    """Decode and shrink an image as `normalised` does, in a process with limits. Raises PictureError."""
    done = subprocess.run(
        command(str(side), module="app.styles.image_sandbox"),
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},  # passes no secrets of the service on
        check=False,
    )
    if done.returncode in _ERRORS:
        raise _ERRORS[done.returncode](done.stdout.decode())
    if done.returncode != 0:
        raise PictureError(f"cannot be read within {_MAX_CPU_SECONDS} s and {_MAX_MEMORY_BYTES >> 20} MB")
    size, _, pixels = done.stdout.partition(b"\n")
    width, height = map(int, size.split())
    return Image.frombytes("RGB", (width, height), pixels)


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_CPU_SECONDS, _MAX_CPU_SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    try:
        image = normalised(sys.stdin.buffer.read(), int(sys.argv[1]))
    except PictureError as error:
        sys.stdout.write(str(error))
        sys.exit(next(code for code, kind in _ERRORS.items() if isinstance(error, kind)))
    sys.stdout.buffer.write(f"{image.width} {image.height}\n".encode() + image.tobytes())


if __name__ == "__main__":
    _main()
