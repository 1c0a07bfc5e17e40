"""Programs of the product that are started, and sometimes stopped or killed before they are done."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cli.exits import Exit
from tests.local_cloud_fixture import ROOT
from tests.torture.soak.place import Place

#: How a program may end that was not stopped: done, some failed, or the local cloud was not there.
_ENDS = (Exit.DONE, Exit.SOME_FAILED, Exit.REFUSED)
_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_STOPPED = {
    signal.SIGKILL: (-signal.SIGKILL,),
    signal.SIGTERM: (Exit.TERMINATED, -signal.SIGTERM),
    signal.SIGINT: (Exit.INTERRUPTED, -signal.SIGINT),
}
#: A slow disk: each fsync waits so many microseconds longer.
_SLOW = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]
_SLOW += ["-e", "inject=fsync,fdatasync:delay_enter=200000"]


class UnexpectedEndError(AssertionError):
    """A program ended as none may, whatever happens around it."""


@dataclass
class Programs:
    """Starts programs one after another; `ends` counts how they ended."""

    place: Place
    rng: random.Random
    ends: Counter[str] = field(default_factory=Counter)

    def run(self, *command: str, through: str = "", longest: float = 0, slow: bool = False, cwd: Path = ROOT) -> int:
        """The exit code. `through`: AWS's address; `longest`: it is stopped within so many seconds, 0 for never."""
        environ = {name: value for name, value in self.place.cloud.environ.items() if name != "AWS_ENDPOINT_URL"}
        told = environ | ({"AWS_ENDPOINT_URL": through} if through else {})
        process = self._start([sys.executable, *command], cwd, told, slow=slow and bool(shutil.which("strace")))
        allowed, errors = self._wait(process, longest)
        code = process.returncode
        self.ends["stopped" if code not in _ENDS else Exit(code).name.lower()] += 1
        if code not in allowed or ("Traceback" in errors and not _is_pythons_own(code, errors)):
            raise UnexpectedEndError(f"{' '.join(command)} ended with {code}:\n{errors[-3000:]}")
        return code

    def _start(self, command: list[str], cwd: Path, environ: dict[str, str], *, slow: bool) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*(_SLOW if slow else ()), *command], cwd=cwd, env=environ, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        if slow and not _is_begun(process):
            self.ends["strace did not begin"] += 1
            process.kill()
            process.communicate()
            return self._start(command, cwd, environ, slow=False)
        self.ends["on a slow disk"] += slow
        return process

    def _wait(self, process: subprocess.Popen[str], longest: float) -> tuple[tuple[int, ...], str]:
        """How it may have ended, and what it wrote to stderr."""
        try:
            return _ENDS, process.communicate(timeout=self.rng.uniform(0, longest) if longest else 300)[1]
        except subprocess.TimeoutExpired:
            number = self.rng.choice(_SIGNALS)
            process.send_signal(number)
            # Where Python itself has not begun yet there is no handler.
            return (*_ENDS, *_STOPPED[number]), process.communicate(timeout=120)[1]


def _is_begun(process: subprocess.Popen[str]) -> bool:
    """Whether strace has become what it shall run, soon; a signal that meets strace itself may leave it standing."""
    strace = os.path.realpath(shutil.which("strace") or "")
    deadline = time.monotonic() + 10
    while process.poll() is None and os.path.realpath(f"/proc/{process.pid}/exe") == strace:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _is_pythons_own(code: int, errors: str) -> bool:
    """Whether a trace is none of the product's.

    Ctrl-C met the imports at the top of a program, or Python itself at its start: then it shows a trace, and may even
    go on. Or a program was killed while it started a process, which finds nobody who tells it what to do.
    """
    if "Fatal Python error: init_import_site" in errors and errors.rstrip().endswith("KeyboardInterrupt"):
        # At a line of code in a .pth file of the virtual environment, which is `<string>` in a trace.
        return True
    frames = [line for line in errors.splitlines() if line.startswith('  File "')]
    killed = ('  File "<string>', "/multiprocessing/spawn.py") if code == -signal.SIGKILL else ()
    places = ('  File "<frozen ', *killed)
    return code == -signal.SIGINT or all(any(place in line for place in places) for line in frames)
