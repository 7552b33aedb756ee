"""A process that has loaded the slow libraries, and forks processes that begin with them.

A Python process needs two to five seconds to load torch, and the tests start hundreds of them. `tests.forked` asks this
server for one: it connects, sends three files (standard input, output and error) and a request, and reads two numbers:
the process's id at once, and its exit status when it has ended.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import threading
import traceback

NUMBER = struct.Struct("=q")
_PRELOADED = (
    "torch._dynamo",
    "torchvision.models",
    "PIL.Image",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "tensorboard.summary.writer.event_file_writer",
    "httpx",
    "redis",
    "rich.progress",
    "rq",
    "typer",
    "uvicorn",
    "training.cli",
    "training.loop",
    "training.metrics.cli",
    "worker.main",
    "worker.style.cli",
    "app.client.client",
    "app.cli.generate",
)
_MODULES_THAT_RUN = "app.cli.main"
"""Each process runs this module afresh, as Python's `-m` does."""


def serve(path: str) -> None:
    """Fork a process for every connection, until standard input ends, which it does with the tests."""
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sys.modules.pop(_MODULES_THAT_RUN, None)
    gc.freeze()
    assert threading.active_count() == 1, "a process with threads cannot be forked safely"
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which end what they have started
    children: dict[int, socket.socket] = {}
    with socket.socket(socket.AF_UNIX) as listening, selectors.DefaultSelector() as selector:
        listening.bind(f"{path}.new")
        listening.listen(64)
        os.rename(f"{path}.new", path)  # noqa: PTH104  # now it can be connected to
        selector.register(listening, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        selector.register(0, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if 0 in ready:
                return
            if woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(woken, 4096)
                _reap(children)
            if listening.fileno() in ready:
                connection, _ = listening.accept()
                pid = os.fork()
                if not pid:
                    _run(connection)
                children[pid] = connection
                with contextlib.suppress(OSError):
                    connection.sendall(NUMBER.pack(pid))


def _reap(children: dict[int, socket.socket]) -> None:
    """Tell the clients how their processes have ended."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with children.pop(pid) as connection, contextlib.suppress(OSError):
            connection.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _run(connection: socket.socket) -> None:
    """Become the process that was asked for, and never return."""
    status = 1
    try:
        request = _become(connection)
        status = _status_of(request)
    except BaseException:  # as Python itself does with what nobody catches
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as Python does
            atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BaseException):
                stream.flush()
        if status == -signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(status)


def _become(connection: socket.socket) -> dict[str, str]:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with connection:
        data, files, _, _ = socket.recv_fds(connection, NUMBER.size, 3, socket.MSG_WAITALL)
        (size,) = NUMBER.unpack(data)
        request = json.loads(connection.recv(size, socket.MSG_WAITALL))
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 5000 else 5000)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = request["arguments"]
    ctypes.CDLL(None).prctl(15, sys.argv[0].encode()[:15])  # PR_SET_NAME: what `ps` shows
    return dict(request)


def _status_of(request: dict[str, str]) -> int:
    try:
        exec(request["code"], {"__name__": "__main__"})
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 255
        print(end.code, file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        traceback.print_exc()
        return -signal.SIGINT
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
