"""Start Imagemill's modules as processes that import our code, whatever files lie in the folders around.

Our packages have common names: a user's folder may hold an `app.py` or a package `models` too. So a process first runs
this file by its path. It imports only the standard library.
"""

import importlib
import os
import runpy
import site
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_FILE = os.path.abspath(__file__)  # noqa: PTH100  # a symbolic link is not followed
_HOME = str(Path(_FILE).parents[1])
_PACKAGES = frozenset({"app", "imagemill", "models", "training", "worker"})
_COMMAND_LINE = "app.cli"


class OwnPackages:
    """A finder that imports our packages from beside this one, before Python searches `sys.path`."""

    @staticmethod
    def find_spec(name: str, _path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find one of our packages. None for every other module."""
        return PathFinder.find_spec(name, [_HOME], target) if name in _PACKAGES else None


def main() -> None:
    """Run the command line."""
    _protect_imports()
    importlib.import_module(_COMMAND_LINE).main()


def command(*arguments: str, module: str = _COMMAND_LINE) -> list[str]:
    """Build the command that runs one of our modules as a process of its own."""
    # -P: the folder of this file, and the current one, are no places for modules.
    return [sys.executable, "-P", _FILE, module, *arguments]


def _protect_imports() -> None:
    """Import our packages from here, and search the user's folders after those of Python and its packages.

    The user's folders are the current one and those in PYTHONPATH.
    """
    sys.meta_path.insert(0, OwnPackages)
    here = _current_folder()
    named = (here, *os.environ.get("PYTHONPATH", "").split(os.pathsep))
    users = {os.path.normpath(os.path.join(here, folder)) for folder in named} - _python_folders()  # noqa: PTH118
    sys.path.sort(key=users.__contains__)  # a stable sort: the order is kept otherwise


def _python_folders() -> set[str]:
    library = str(Path(os.__file__).parent)
    return {library, f"{library}/lib-dynload", *site.getsitepackages(), site.getusersitepackages()}


def _current_folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:  # somebody has removed it
        return ""


if __name__ == "__main__":
    _protect_imports()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
