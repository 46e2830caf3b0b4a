"""Warm starts: runs are forked from a process that has imported everything.

A recipe's imports take seconds, training on stored states may take less. The
runs of a runner are therefore children of one process that imports once and
does nothing else. Each is a process of its own all the same, with its own
lock, log, environment and exit code, and computes what it would alone.
"""

import ast
import contextlib
import gc
import importlib
import json
import os
import re
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from speechbrain_petl.experiments.running.processes import Processes

PACKAGES = ("speechbrain", "speechbrain_petl", "torch", "torchaudio")
LAZY = ("matplotlib.figure", "sklearn.metrics")  # what a run imports at its end
NAMED = re.compile(r"!(?:new|name|apply):([\w.]+)\.\w+")
SCRIPT = "train.py"
LONGEST = 2**20  # bytes of a request
PAUSE = 0.05  # seconds between looks at children
LOST = -signal.SIGKILL  # exit code of a child whose parent is gone


def read_line(line: socket.socket) -> str:
    """Reads a line, byte by byte; empty if nobody writes any more."""
    text = b""
    while not text.endswith(b"\n"):
        byte = line.recv(1)
        if not byte:
            return ""
        text += byte
    return text.decode().strip()


class WarmProcess:
    """A forked run, in the words of ``subprocess.Popen``.

    Arguments
    ---------
    pid : int
        Number of the process.
    status : socket.socket
        Receives its exit code.
    """

    def __init__(self, pid: int, status: socket.socket):
        self.pid = pid
        self.returncode: int | None = None
        self._status = status  # readable from the end on
        self._reading = threading.Lock()

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the end; raises ``TimeoutExpired`` like ``Popen``."""
        if self.returncode is not None:
            return self.returncode
        if not select.select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(SCRIPT, timeout or 0.0)
        with self._reading:  # the thread that waits, and one that ends it
            if self.returncode is None:
                told = read_line(self._status)
                self.returncode = int(told) if told else LOST
        return self.returncode

    def poll(self) -> int | None:
        """Returns the exit code, None while the run goes on."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless the run has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Asks the run to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the run."""
        self.send_signal(signal.SIGKILL)


class Warm(Processes):
    """``Processes`` that forks the runs of recipes.

    Other commands, and all where processes cannot be forked, are started as
    usual.

    Arguments
    ---------
    environment : mapping of str to str
        Environment variables of the process that imports, such as the number
        of threads.
    """

    def __init__(self, environment: Mapping[str, str]):
        super().__init__()
        self.environment = dict(environment)
        self._lock = threading.Lock()
        self._server: tuple[subprocess.Popen, socket.socket] | None = None

    def start(
        self,
        command: list[str],
        cwd: str,
        environment: Mapping[str, str],
        log: IO,
        lock: IO,
    ) -> Any:
        """Like ``Processes.start``."""
        forks = hasattr(os, "fork") and hasattr(socket, "send_fds")
        if not forks or command[:2] != [sys.executable, SCRIPT]:
            return super().start(command, cwd, environment, log, lock)
        request = json.dumps(
            {"argv": command[1:], "cwd": cwd, "environment": dict(environment)}
        )
        mine, status = socket.socketpair()
        with self._lock, status:
            server = self._connect()
            files = [log.fileno(), lock.fileno(), status.fileno()]
            socket.send_fds(server, [request.encode()], files)
            told = read_line(mine)  # before anything else is asked for
        if not told:
            mine.close()
            raise OSError("The process that starts runs has ended.")
        return WarmProcess(int(told), mine)

    def _connect(self) -> socket.socket:
        """Returns the line to the process that imports; starts it."""
        if self._server is None or self._server[0].poll() is not None:
            mine, its = socket.socketpair()
            with its:
                process = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(its.fileno())],
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    # It may outlive the runner, whose output nobody should
                    # be kept waiting for.
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[its.fileno()],
                )
            self._server = process, mine
        return self._server[1]

    def stop(self) -> None:
        """Ends all runs, and the process that imports."""
        super().stop()
        self.close()

    def close(self) -> None:
        """Lets the process that imports end; its runs go on."""
        with self._lock:
            if self._server is not None:
                process, line = self._server
                line.close()
                process.wait()
                self._server = None


def serve(line: socket.socket) -> dict | None:
    """Forks runs until nobody asks for any more.

    Arguments
    ---------
    line : socket.socket
        Where requests come from.

    Returns
    -------
    dict or None
        In a child, the request that it is to run; None at the end.
    """
    children: dict[int, socket.socket] = {}
    asked = True
    while asked or children:
        ready = select.select([line] if asked else [], [], [], PAUSE)[0]
        if ready:
            text, files, _, _ = socket.recv_fds(line, LONGEST, 3)
            if not text:
                asked = False
                continue
            log, lock, status = files
            request = json.loads(text)
            prepare(request["cwd"], request["argv"])
            pid = os.fork()
            if not pid:
                line.close()
                for other in children.values():
                    other.close()
                os.close(status)
                os.dup2(log, 1)
                os.dup2(log, 2)
                os.close(log)
                os.set_inheritable(lock, True)  # held as long as this lives
                return request
            os.close(log)
            os.close(lock)
            children[pid] = socket.socket(fileno=status)
            children[pid].send(f"{pid}\n".encode())
        for pid, told in list(children.items()):
            ended, code = os.waitpid(pid, os.WNOHANG)
            if ended:
                with contextlib.suppress(OSError):  # nobody waits any more
                    exit_code = os.waitstatus_to_exitcode(code)
                    told.send(f"{exit_code}\n".encode())
                told.close()
                del children[pid]
    return None


def prepare(folder: str, argv: list[str]) -> None:
    """Imports what a recipe will import, unless it has been.

    Arguments
    ---------
    folder : str
        Folder of the recipe.
    argv : list of str
        Its script, its YAML and options.
    """
    before = len(sys.modules)
    for name in modules_of(Path(folder), argv):
        if name not in sys.modules and name.partition(".")[0] in PACKAGES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    if "speechbrain_petl.training.results" in sys.modules:
        for name in LAZY:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    if len(sys.modules) > before:
        gc.freeze()  # so that children do not copy what they share


def modules_of(folder: Path, argv: list[str]) -> list[str]:
    """Lists the modules that a script imports and its YAML names.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "train.py").write_text(
    ...     "import json\\nfrom os import path"
    ... )
    >>> _ = (folder / "a.yaml").write_text("a: !new:torch.nn.Linear")
    >>> modules_of(folder, ["train.py", "a.yaml"])
    ['json', 'os', 'torch.nn']
    """
    found: list[str] = []
    with contextlib.suppress(OSError, ValueError, SyntaxError):
        script = (folder / argv[0]).read_text("utf-8")
        for node in ast.walk(ast.parse(script)):
            if isinstance(node, ast.Import):
                found += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.append(node.module)
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = (folder / argv[1]).read_text("utf-8")
        found += NAMED.findall(text)
    return found


def main(arguments: list[str]) -> None:
    """Imports, serves, and in each child runs the recipe."""
    line = socket.socket(fileno=int(arguments[0]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner decides
    request = serve(line)
    if request is None:
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    sys.argv = request["argv"]
    sys.path[0] = request["cwd"]
    runpy.run_path(SCRIPT, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
