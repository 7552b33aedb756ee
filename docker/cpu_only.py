"""Shrink PyTorch's CUDA build for machines without a GPU: 3 GB of NVIDIA's libraries become empty ones.

PyPI has no CPU build of PyTorch for Linux. The CUDA build does not start without NVIDIA's libraries, because the
dynamic linker looks for their symbols. This script puts libraries with the same symbols in their place. A function of
them ends the process. PyTorch calls none without a GPU. PyTorch's own libraries are not changed, so images have the
same bytes. The script needs `gcc`, `nm` and `readelf`.
"""

import subprocess
import sys
from pathlib import Path

KEPT = ("libcudart.so.13", "libcupti.so.13")
"""Small libraries of NVIDIA that stay as they are: PyTorch asks them whether there is a GPU."""
UNUSED = ("torch/lib/libtorch_cuda_linalg.so",)
"""A library that is loaded for GPUs only."""


def main(site: Path) -> None:
    """Shrink the PyTorch below a folder of packages. Raises FileNotFoundError if PyTorch is not there."""
    for name in UNUSED:
        (site / name).unlink()
    of_torch = [path for path in (site / "torch" / "lib").glob("*.so*") if path.is_file()]
    names = {name for path in of_torch for name in needed_libraries(path)}
    symbols = {symbol for path in of_torch for symbol in needed_symbols(path)}
    for path in [path for path in (site / "nvidia").rglob("*") if path.is_file() and path.name not in KEPT]:
        found = symbols & defined_symbols(path) if path.name in names else None
        path.unlink()
        if found is not None:
            write_library(path, sorted(found))


def needed_libraries(path: Path) -> list[str]:
    """List the libraries that a library is linked to."""
    lines = output("readelf", "--dynamic", path)
    return [line.partition("[")[2].rstrip("]") for line in lines if "(NEEDED)" in line]


def needed_symbols(path: Path) -> list[str]:
    """List the symbols that a library needs, as `name` or `name@version`."""
    return [line.split()[0] for line in output("nm", "--dynamic", "--undefined-only", "--format=posix", path)]


def defined_symbols(path: Path) -> set[str]:
    """List the symbols that a library has, as `name` or `name@version`."""
    lines = output("nm", "--dynamic", "--defined-only", "--format=posix", path)
    return {line.split()[0].replace("@@", "@") for line in lines}


def write_library(path: Path, symbols: list[str]) -> None:
    """Write a library whose functions end the process. A symbol keeps its version, so that the linker accepts it."""
    source, versions = path.with_suffix(".s"), path.with_suffix(".map")
    lines = ['.section .note.GNU-stack,"",@progbits', ".text"]
    for symbol in symbols:
        name = symbol.partition("@")[0]
        lines += [f".globl {name}", f".type {name}, @function", f"{name}: ud2"]
    source.write_text("\n".join(lines) + "\n")
    names: dict[str, list[str]] = {symbol.partition("@")[2]: [] for symbol in symbols}
    for symbol in symbols:
        names[symbol.partition("@")[2]].append(symbol.partition("@")[0])
    versions.write_text("".join(f"{name} {{ global: {'; '.join(each)}; }};\n" for name, each in names.items() if name))
    script = [f"-Wl,--version-script={versions}"] if any(names) else []
    output("gcc", "-shared", "-nostdlib", f"-Wl,-soname,{path.name}", *script, "-o", path, source)
    source.unlink()
    versions.unlink()


def output(*command: str | Path) -> list[str]:
    """Run a program and return the lines of its output."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
