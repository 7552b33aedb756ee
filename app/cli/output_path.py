"""Paths of output files, and the reasons why a command must not write to them."""

from pathlib import Path

STANDARD_OUTPUT = Path("-")
"""Stands for standard output where a command takes a file."""


def write_obstacle(path: Path, *, is_forced: bool) -> str | None:
    """Return why a path must not be written, or None. Force allows to replace a regular file, never a device."""
    if path == STANDARD_OUTPUT:
        return f"{path} names no file, and this command cannot write to standard output; name a file"
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{path}: {error.strerror or error}; name another file"
    if path.exists() and not path.is_file():
        return f"{path} is not a regular file; name another one"
    # A dangling symbolic link counts as a file: the command would replace it.
    if not is_forced and (path.exists() or path.is_symlink()):
        return f"{path} exists already; give --force to replace it, or name another file"
    return None
