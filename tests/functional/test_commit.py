"""The commit: the same everywhere, in the zip without any git, and never somebody else's."""

import json
import shutil
import subprocess
import sys

import pytest

from cli.commit import commit
from pipeline.settings import ROOT
from pipeline.version import VERSION, release
from setup_scripts import package
from tests.functional.test_package import unpacked_zip

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TELL = "import json, sys; sys.path.insert(0, '.'); from pipeline.version import release; print(json.dumps(release()))"


def git(folder, *command):
    options = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *options, *command], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A repository with one commit of what goes into the zip."""
    folder = tmp_path_factory.mktemp("checkouts") / "first"
    folder.mkdir()
    copied = subprocess.run(
        ["git", "ls-files", "-z", *package.SOURCES, *package.LICENCES, ".gitattributes"], cwd=ROOT, capture_output=True
    )
    for name in filter(None, copied.stdout.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all of it")
    return folder


@pytest.fixture
def clone(checkout, tmp_path):
    git(tmp_path, "clone", "-q", str(checkout), str(tmp_path / "clone"))
    return tmp_path / "clone"


def test_the_release_is_the_version_and_the_first_digits_of_the_commit():
    assert release(COMMIT) == f"{VERSION}+0123456789ab"
    assert release(f"{COMMIT}-dirty") == f"{VERSION}+0123456789ab-dirty"


@pytest.mark.parametrize("unknown", ["", "$Format:%H$"])
def test_where_no_commit_is_known_the_release_is_the_version(unknown):
    assert release(unknown) == VERSION


def test_the_same_commit_gives_the_same_bytes_in_every_clone(checkout, clone, tmp_path):
    zips = [package.build(package.local_runtime(), tmp_path / at.name, say=print, root=at) for at in (checkout, clone)]

    assert zips[0].read_bytes() == zips[1].read_bytes()


def test_the_zip_knows_its_commit_where_no_git_is(clone, tmp_path):
    path = package.build(package.local_runtime(), tmp_path, say=print, root=clone)

    shown = unpacked_zip(path, tmp_path / "unpacked")
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", TELL], cwd=shown, env={}, capture_output=True, text=True)
    assert json.loads(ended.stdout) == f"{VERSION}+{git(clone, 'rev-parse', 'HEAD')[:12]}"


def test_a_checkout_with_changes_says_so(clone):
    (clone / "pipeline" / "watch.py").write_text("changed")

    assert commit(clone) == git(clone, "rev-parse", "HEAD") + "-dirty"


def test_a_download_tells_the_commit_that_it_was_made_of(clone, tmp_path):
    archive = tmp_path / "download.tar"
    git(clone, "archive", "--output", str(archive), "HEAD")
    shutil.unpack_archive(archive, tmp_path / "download")

    assert git(clone, "rev-parse", "HEAD") in (tmp_path / "download" / "pipeline" / "version.py").read_text()


def test_a_download_inside_of_another_repository_is_not_taken_for_it(clone):
    inside = clone / "vendor" / "download"
    inside.mkdir(parents=True)

    assert release(commit(inside)) == release()
