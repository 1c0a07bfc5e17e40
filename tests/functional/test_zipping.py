"""Zips of one name that several processes build at one time."""

import subprocess
import sys
import zipfile

from pipeline.settings import ROOT

BUILD = """
import sys
from pathlib import Path
from setup_scripts.zipping import write_zip
folder, target = map(Path, sys.argv[1:])
for _ in range(30):
    write_zip([folder], target)
"""


def test_two_that_build_the_same_zip_do_not_write_into_each_others(tmp_path):
    folder, target = tmp_path / "sources", tmp_path / "it.zip"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.py").write_text(f"# {number}\n" * 500)

    both = [
        subprocess.Popen([sys.executable, "-c", BUILD, str(folder), str(target)], cwd=ROOT, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    broken = []
    while any(one.poll() is None for one in both):
        if target.exists():
            with zipfile.ZipFile(target) as archive:
                broken += [archive.testzip()] if archive.testzip() else []

    assert [one.communicate()[1] for one in both] == [b"", b""]
    assert broken == []
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".zip"] == ["sources"]
