"""Decodes and shrinks an uploaded image in a process of its own, with limits of CPU time and memory.

A decompression bomb then only ends that process.
"""

import os
import resource
import subprocess
import sys

from PIL import Image

from app.styles.limits import MAX_DECODE_CPU_SECONDS, MAX_DECODE_MEMORY_BYTES
from imagemill.start import command
from worker.contracts.uploaded_images import PictureError, UnknownFormatError, normalise

_ERRORS = {3: UnknownFormatError, 4: PictureError}
"""Errors of the image, by the exit status of the process. Its output is then the message."""


def decode_in_sandbox(data: bytes, side: int) -> Image.Image:
    """Decode and shrink an image as `normalise` does, in a process with limits. Raises PictureError."""
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
    if done.returncode != 0:  # the kernel killed the process, or Pillow ran out of memory
        raise PictureError(f"cannot be read within {MAX_DECODE_CPU_SECONDS} s and {MAX_DECODE_MEMORY_BYTES >> 20} MB")
    # The output is a line "WIDTH HEIGHT" and the RGB bytes. No decoder of the parent reads what the child wrote.
    size, _, pixels = done.stdout.partition(b"\n")
    width, height = map(int, size.split())
    return Image.frombytes("RGB", (width, height), pixels)


def _main() -> None:
    """Decode an image from the standard input in this process, after limiting it. The argument is the side."""
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_DECODE_CPU_SECONDS, MAX_DECODE_CPU_SECONDS))
    if sys.platform == "linux":  # macOS does not enforce a limit of the address space
        resource.setrlimit(resource.RLIMIT_AS, (MAX_DECODE_MEMORY_BYTES, MAX_DECODE_MEMORY_BYTES))
    try:
        image = normalise(sys.stdin.buffer.read(), int(sys.argv[1]))
    except PictureError as error:
        sys.stdout.write(str(error))
        sys.exit(next(code for code, kind in _ERRORS.items() if isinstance(error, kind)))
    sys.stdout.buffer.write(f"{image.width} {image.height}\n".encode() + image.tobytes())


if __name__ == "__main__":
    _main()
