"""The other side of `nursery.py`: the original, and a keeper and a copy for each image.

    original   imports what the work needs, once; waits for orders on its stdin, and ends when the parent has gone
    └─ keeper  one for each order: says the process id of its copy, waits for it, says how it ended
       └─ copy does the work as a child of `isolate.py` does (`isolated.py`)

Each dies with the one above it. No image comes to original or keeper.
"""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from PIL import Image

from pipeline.images.isolated import die_with, ignore_wishes_to_stop, imported, private_pipes, work_on
from pipeline.images.options import ImageOptions, OutputOptions
from pipeline.images.transform import transform

_NUMBER = struct.Struct("!i")
_LONGEST_ORDER = 4096
#: What a copy would otherwise import itself, before its first image and for each again.
_LATE = ("ctypes", "encodings.ascii")
_COMMON = ("JPEG", "PNG", "WEBP")
_DESCRIPTORS = 4
_MOST_DESCRIPTORS = 256


def main() -> None:
    """Argument: `module:function` of the work."""
    ignore_wishes_to_stop()
    work = imported(sys.argv[1])
    if work is transform:
        _warm_up()
    # Collections in a copy would write to, and so copy, all the pages that it shares with the original.
    gc.freeze()
    signal.signal(signal.SIGCHLD, _reap)
    orders = socket.socket(fileno=0)
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, _LONGEST_ORDER, _DESCRIPTORS)
        if not message:
            return
        if os.fork() == 0:
            _keep(work, json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _warm_up() -> None:
    """Load what the first image of each common format loads, which is a dozen of modules: a copy starts with them."""
    for module in _LATE:
        import_module(module)
    options = ImageOptions(outputs=tuple((form, OutputOptions(fit=(4, 4), format=form)) for form in _COMMON))
    for form in _COMMON:
        picture = io.BytesIO()
        Image.new("RGB", (8, 8)).save(picture, form)
        transform(picture.getvalue(), options)


def _reap(*_: object) -> None:
    """Take note of keepers that have ended: what they used is then ours, and so our parent's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _keep(work: Callable[..., Any], limits: list[float], descriptors: list[int]) -> NoReturn:
    try:
        original, keeper = os.getppid(), os.getpid()
        die_with(original)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        copy = os.fork()
        if copy == 0:
            die_with(keeper)
            _do(work, limits, descriptors[:3])
        for descriptor in (0, *descriptors[:3]):
            os.close(descriptor)
        _tell(socket.socket(fileno=descriptors[3]), copy)
    finally:
        os._exit(0)


def _tell(report: socket.socket, copy: int) -> None:
    """Say who it is and how it ended; it stays a zombie until nobody wants to kill it any more."""
    report.sendall(_NUMBER.pack(copy))
    ended = os.waitid(os.P_PID, copy, os.WEXITED | os.WNOWAIT)
    assert ended
    report.sendall(_NUMBER.pack(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status))
    report.recv(1)
    os.waitpid(copy, 0)


def _do(work: Callable[..., Any], limits: list[float], pipes: list[int]) -> NoReturn:
    status = 1
    try:
        os.setsid()
        for number, pipe in enumerate(pipes):
            os.dup2(pipe, number)
        os.closerange(3, _MOST_DESCRIPTORS)
        cpu_seconds, seconds, memory = limits
        source, answer = private_pipes()
        work_on(work, source, answer, cpu_seconds=int(cpu_seconds), seconds=seconds, memory=int(memory))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
