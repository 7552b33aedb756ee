"""CPU time and memory of a process and its descendants, from /proc."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PARENT, _TIMES = 1, slice(11, 15)
"""Positions in /proc/<pid>/stat behind the name: the parent, and utime, stime, cutime, cstime."""
_BYTES_PER_KB, _BYTES_PER_MB = 1024, 1e6


def tree(root: int) -> list[int]:
    """List a process and its descendants."""
    parents = {pid: int(fields[_PARENT]) for pid, fields in _all_stats()}
    found = [root]
    for pid in found:  # the list grows during the loop
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Sum the CPU time of processes and of their ended children."""
    ticks = sum(int(ticks) for pid in pids for ticks in _stat(pid)[_TIMES])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mb(pids: Iterable[int]) -> float:
    """Sum the peaks of the processes' resident memory. Shared memory counts for each of them."""
    return sum(_kb(pid, "VmHWM:") for pid in pids) * _BYTES_PER_KB / _BYTES_PER_MB


def rss_mb(pid: int) -> float:
    """Return the current resident memory of a process."""
    return _kb(pid, "VmRSS:") * _BYTES_PER_KB / _BYTES_PER_MB


def arguments(pid: int) -> list[str]:
    """Return the command line of a process, the program first."""
    return _read(pid, "cmdline").split("\0")[:-1]


def _all_stats() -> Iterator[tuple[int, list[str]]]:
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            yield int(entry.name), fields


def _stat(pid: int) -> list[str]:
    return _read(pid, "stat").rpartition(")")[2].split()  # the name before may contain spaces and brackets


def _kb(pid: int, name: str) -> int:
    return next((int(line.split()[1]) for line in _read(pid, "status").splitlines() if line.startswith(name)), 0)


def _read(pid: int, name: str) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):  # the process has ended meanwhile
        return (_PROC / str(pid) / name).read_text(errors="replace")
    return ""
