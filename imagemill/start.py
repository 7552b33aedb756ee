"""Starts processes that import Imagemill's packages, even if the user's folders hold modules of the same names.

Our packages have common names: a user's folder may also hold an `app.py` or a package `models`. So each process
first runs this file by its path. Until the import path is in order, it imports only what Python has already loaded.
"""

import importlib.machinery
import os
import site
import sys
from collections.abc import Sequence

_FILE = os.path.abspath(__file__)  # noqa: PTH100  # symbolic links are not resolved
_ROOT = os.path.dirname(os.path.dirname(_FILE))  # noqa: PTH120
_PACKAGES = frozenset({"app", "imagemill", "models", "training", "worker"})
_COMMAND_LINE = "app.cli.main"


class OwnPackages:
    """An import finder that looks for our packages next to this one, before Python searches `sys.path`."""

    @staticmethod
    def find_spec(
        name: str, _path: Sequence[str] | None = None, _target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of one of our packages, or None for any other module."""
        return importlib.machinery.PathFinder.find_spec(name, [_ROOT]) if name in _PACKAGES else None


def main() -> None:
    """Run the command line."""
    _protect_imports()
    importlib.import_module(_COMMAND_LINE).main()


def command(*arguments: str, module: str = _COMMAND_LINE) -> list[str]:
    """Build the command that runs one of our modules as a process of its own."""
    # -P keeps the folder of this file, and the current folder, out of sys.path.
    return [sys.executable, "-P", _FILE, module, *arguments]


def _protect_imports() -> None:
    """Import our packages from here, and search the user's folders last.

    The user's folders are the current folder and the entries of PYTHONPATH.
    """
    sys.meta_path.insert(0, OwnPackages)
    here = _current_folder()
    named = (here, *os.environ.get("PYTHONPATH", "").split(os.pathsep))
    users = {os.path.normpath(os.path.join(here, folder)) for folder in named} - _python_folders()  # noqa: PTH118
    sys.path.sort(
        key=users.__contains__
    )  # False sorts first; the sort is stable, so the order within both groups stays


def _python_folders() -> set[str]:
    library = os.path.dirname(os.__file__)  # noqa: PTH120
    return {library, f"{library}/lib-dynload", *site.getsitepackages(), site.getusersitepackages()}


def _current_folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109
    except FileNotFoundError:  # the folder was deleted
        return ""


def _run_module() -> None:
    """Run the module that the first argument names. The other arguments are its own."""
    _protect_imports()
    import runpy

    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run_module()
