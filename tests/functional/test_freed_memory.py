"""What is left of one image serves the next: in a process that keeps it, the system clears no pages again."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.images import jpeg, photo

ROOT = Path(__file__).resolve().parents[2]

#: Prints how many pages the system had to give while some images were made after the first ones.
PROGRAM = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from pipeline import freed_memory
from pipeline.images.transform import transform
if sys.argv[3] == "keep":
    freed_memory.keep()
data = Path(sys.argv[2]).read_bytes()
with ThreadPoolExecutor(1) as pool:
    work = transform if sys.argv[4] == "here" else lambda data: pool.submit(transform, data).result()
    for _ in range(3):
        work(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        work(data)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _pages(folder: Path, *arguments: str) -> int:
    picture = folder / "picture.jpg"
    picture.write_bytes(jpeg(photo((2400, 1600)), quality=90))
    command = [sys.executable, "-c", PROGRAM, str(ROOT), str(picture), *arguments]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
@pytest.mark.parametrize("place", ["here", "in a thread"])
def test_a_process_that_keeps_freed_memory_is_given_hardly_any_page_again(tmp_path, place):
    kept, given_back = _pages(tmp_path, "keep", place), _pages(tmp_path, "as it is", place)

    assert kept < 1_000 < given_back
