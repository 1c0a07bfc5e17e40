"""Work for the isolation child that behaves as badly as a decoder can: each has the signature of `transform`.

`data` tells some of them what to do; their answers are what the parent must not believe.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
from pathlib import Path

from PIL import Image

from pipeline.images.transform import Transformed, transform
from pipeline.job import Facts, Output
from tests import images

FACTS = Facts(format="PNG", content_type="image/png", mode="RGB", size=(1, 1), bytes=1, sha256="0")


def _telling(seen: object) -> Transformed:
    """What was seen, as the camera's name: the only way out of the child."""
    return Transformed((), Facts(**{**vars(FACTS), "camera_model": json.dumps(seen)}))


def surroundings(data, options, *, decoding):
    names = sorted(os.environ)
    files = {int(name): _target(name) for name in os.listdir("/proc/self/fd")}
    limits = {name: resource.getrlimit(getattr(resource, name))[0] for name in ("RLIMIT_CPU", "RLIMIT_CORE")}
    return _telling([names, files, limits, os.getcwd(), os.getsid(0) == os.getpid()])


def _target(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").partition(":")[0]
    except OSError:
        return "listing"


def segmentation_fault(data, options, *, decoding):
    ctypes.string_at(0)


def abort(data, options, *, decoding):
    os.abort()


def killed(data, options, *, decoding):
    os.kill(os.getpid(), signal.SIGKILL)


def exits(data, options, *, decoding):
    os._exit(0)


def endless_cpu(data, options, *, decoding):
    """In C code that never gives up the interpreter: no Python thread or handler gets a turn."""
    return 7 ** (7**9)


def endless_sleep(data, options, *, decoding):
    with decoding(100):
        ctypes.PyDLL(None).sleep(3600)


def python_memory(data, options, *, decoding):
    return [bytearray(50_000_000) for _ in range(100)]


def picture_memory(data, options, *, decoding):
    return [Image.new("RGBA", (8_000, 8_000), "red") for _ in range(10)]


def writes_a_file(data, options, *, decoding):
    Path(data.decode()).write_bytes(b"secret")


def is_asked_to_stop(data, options, *, decoding):
    """What a process manager does to a whole tree of processes."""
    for process in (os.getpid(), os.getppid()):
        if process != int(data):
            os.kill(process, signal.SIGINT)
            os.kill(process, signal.SIGTERM)
    return _telling("still here")


def remembers(data, options, *, decoding):
    """Leaves something behind, and tells what it found."""
    found = [vars(FACTS).get("camera_model"), os.environ.get("LEFT"), Image.MAX_IMAGE_PIXELS]
    object.__setattr__(FACTS, "camera_model", "left")
    os.environ["LEFT"] = "left"
    Image.MAX_IMAGE_PIXELS = 7
    return _telling(found)


def prints(data, options, *, decoding):
    """What C libraries do for bad files, on both streams and far beyond the size of a pipe."""
    for descriptor in (1, 2):
        os.write(descriptor, b"\x1b[31m{forged: log line}\n" * 50_000)
    print("and Python too", flush=True)
    return transform(images.png(), options, decoding=decoding)


def bug(data, options, *, decoding):
    raise RuntimeError("a bug\n{forged}")


def loses_its_clock(data, options, *, decoding):
    signal.setitimer(signal.ITIMER_REAL, 0)
    ctypes.PyDLL(None).sleep(3600)


def html_as_picture(data, options, *, decoding):
    return Transformed((_output(b"<script>alert(1)</script>"), _output(b"", "compressed")), FACTS)


def unasked_outputs(data, options, *, decoding):
    return Transformed((_output(images.png(), "../../etc"),), FACTS)


def unknown_format(data, options, *, decoding):
    return Transformed((), Facts(**{**vars(FACTS), "format": "SVG"}))


def _output(data: bytes, name: str = "thumbnail") -> Output:
    return Output(name=name, data=data, content_type="text/html", format="PNG", size=(1, 1))


def lies(data, options, *, decoding):
    """Facts that the parent knows better."""
    facts = Facts(**{**vars(FACTS), "content_type": "text/html", "bytes": 7, "sha256": "0" * 64})
    return Transformed((), facts)


def says(data, options, *, decoding):
    """Writes `data` as it is, in the place of an answer."""
    [answer] = [number for number in range(3, 20) if _is_answer(number)]
    os.write(answer, data)
    os._exit(0)


def _is_answer(number: int) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{number}").startswith("pipe:") and _is_written_to(number)
    except OSError:
        return False


def _is_written_to(number: int) -> bool:
    flags = Path(f"/proc/self/fdinfo/{number}").read_text().split()[3]
    return int(flags, 8) & os.O_ACCMODE == os.O_WRONLY


def pixels_then_crash(data, options, *, decoding):
    with decoding(12_345):
        ctypes.string_at(0)
