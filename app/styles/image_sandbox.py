"""The decoder: makes a picture that somebody brought small, in a process of its own, so that a bomb harms only that."""

import os
import resource
import subprocess
import sys

from PIL import Image

from imagemill.start import command
from worker.contracts.uploaded_images import PictureError, UnknownFormatError, normalise

_MOST_CPU_SECONDS = 5
"""A file of a few megabytes can keep a decoder busy for hours: scan after scan, segment after segment."""
_MOST_BYTES = 3 << 29
"""Of memory: what the largest picture that is taken needs is half of it, and a second."""
_ERRORS = {3: UnknownFormatError, 4: PictureError}


def decoded(data: bytes, side: int) -> Image.Image:
    """Do what `normalise` does, within limits of time and memory. Raises PictureError."""
    done = subprocess.run(
        command(str(side), module="app.styles.image_sandbox"),
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},  # and no secrets
        check=False,
    )
    if done.returncode in _ERRORS:
        raise _ERRORS[done.returncode](done.stdout.decode())
    if done.returncode != 0:
        raise PictureError(f"cannot be read within {_MOST_CPU_SECONDS} s and {_MOST_BYTES >> 20} MB")
    size, _, pixels = done.stdout.partition(b"\n")
    width, height = map(int, size.split())
    return Image.frombytes("RGB", (width, height), pixels)


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_SECONDS, _MOST_CPU_SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    try:
        picture = normalise(sys.stdin.buffer.read(), int(sys.argv[1]))
    except PictureError as error:
        sys.stdout.write(str(error))
        sys.exit(next(code for code, kind in _ERRORS.items() if isinstance(error, kind)))
    sys.stdout.buffer.write(f"{picture.width} {picture.height}\n".encode() + picture.tobytes())


if __name__ == "__main__":
    _main()
