"""The local cloud is killed while it writes an object, or cannot write it: it is there as it was or as it was put, and
never as both."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.environment import server_environment
from local_cloud.folder import Folder
from local_cloud.lock import holder
from local_cloud.snapshots import newest
from local_cloud.whole_objects import finish
from tests.local_cloud_fixture import ROOT, LocalCloud, free_port, running_local_cloud
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud

#: Serves, and is killed as it is about to replace the file whose name ends so, once a certain file exists.
MORTAL = """
import os, signal, sys
from ministack.services import s3
ending, armed = sys.argv[1:3]
write = s3._atomic_write
def mortal(path, *arguments, **options):
    if path.endswith(ending) and os.path.exists(armed):
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, *arguments, **options)
s3._atomic_write = mortal
from local_cloud.server import main
sys.exit(main(sys.argv[3:]))
"""
OLD, NEW, LATER = b"the old bytes", b"new ones", b"the bytes that come later"


@contextmanager
def mortal(cloud: LocalCloud, ending: str, armed: Path) -> Iterator[None]:
    folder = Folder(cloud.home)
    environ = server_environment(cloud.environ, folder, port=cloud.port, auth=False)
    arguments = [ending, str(armed), "--home", str(cloud.home), "--port", str(cloud.port)]
    server = subprocess.Popen([sys.executable, "-c", MORTAL, *arguments], cwd=ROOT, env=environ)
    try:
        eventually(lambda: holder(folder.lock))
        cloud.start()  # It is there already; this waits until it answers.
        yield
    finally:
        server.kill()
        server.wait(30)


def put(cloud: LocalCloud, data: bytes, **options: Any) -> None:
    once = Config(retries={"total_max_attempts": 1})
    cloud.client("s3", config=once).put_object(Bucket="photos", Key="a.jpg", Body=data, **options)


def stored(cloud: LocalCloud, **which: str) -> tuple[bytes, str, dict[str, str]]:
    """Bytes and owner, which must fit to size and ETag."""
    answer = cloud.client("s3").get_object(Bucket="photos", Key="a.jpg", **which)
    data = answer["Body"].read()
    assert len(data) == answer["ContentLength"] and answer["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    return data, answer["ContentType"], answer["Metadata"]


def history(cloud: LocalCloud) -> list[bytes]:
    """All versions, the oldest first."""
    versions = cloud.client("s3").list_object_versions(Bucket="photos", Prefix="a.jpg")["Versions"]
    return [stored(cloud, VersionId=one["VersionId"])[0] for one in reversed(versions)]


@pytest.mark.parametrize("keeps_versions", [True, False])
@pytest.mark.parametrize(("ending", "comes"), [("/photos/a.jpg", False), ("/photos/a.jpg.meta.json", True)])
def test_an_object_is_never_half_the_new_one(tmp_path: Path, keeps_versions, ending, comes):
    cloud, armed = LocalCloud(free_port(), tmp_path), tmp_path / "armed"
    with mortal(cloud, ending, armed):
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="photos")
        if keeps_versions:
            s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
        put(cloud, OLD, ContentType="image/old", Metadata={"owner": "ada"})
        # Buckets and what is set on them are kept with the next snapshot.
        before = newest(Folder(tmp_path).state)
        eventually(lambda: newest(Folder(tmp_path).state) != before)
        armed.touch()
        with pytest.raises(BotoCoreError):
            put(cloud, NEW, ContentType="image/new", Metadata={"owner": "bob"})

    cloud.start()
    try:
        present = stored(cloud)
        versions = history(cloud) if keeps_versions else []
        put(cloud, LATER)
        after = history(cloud) if keeps_versions else []
    finally:
        cloud.stop()

    assert present == ((NEW, "image/new", {"owner": "bob"}) if comes else (OLD, "image/old", {"owner": "ada"}))
    if keeps_versions:
        assert versions == [OLD, NEW][: 1 + comes] and after == [*versions, LATER]
    assert list(Folder(tmp_path).being_written.iterdir()) == []


def test_the_first_object_of_a_name_is_there_whole_or_not_at_all(tmp_path: Path):
    cloud, armed = LocalCloud(free_port(), tmp_path), tmp_path / "armed"
    with mortal(cloud, "/photos/a.jpg.meta.json", armed):
        cloud.client("s3").create_bucket(Bucket="photos")
        armed.touch()
        with pytest.raises(BotoCoreError):
            put(cloud, NEW, ContentType="image/new", Metadata={"owner": "bob"})

    cloud.start()
    try:
        assert stored(cloud) == (NEW, "image/new", {"owner": "bob"})
    finally:
        cloud.stop()


#: Of the two files that are written of an object: what is written first and then put in its place.
BYTES, BESIDE = "a.jpg.tmp", "a.jpg.meta.json.tmp"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """With a first object."""
    with running_local_cloud(tmp_path) as cloud:
        cloud.client("s3").create_bucket(Bucket="photos")
        put(cloud, OLD, ContentType="image/old", Metadata={"owner": "ada"})
        yield cloud


def fail_to_put(cloud: LocalCloud, data: bytes, *, name: str, **options: Any) -> None:
    """A folder stands where the file `name` would have to be written, as no other does on a disk that is full."""
    in_the_way = Folder(cloud.home).objects / "000000000000" / "photos" / name
    in_the_way.mkdir()
    with pytest.raises(ClientError) as refused:
        put(cloud, data, **options)
    in_the_way.rmdir()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def restart(cloud: LocalCloud) -> None:
    cloud.stop()
    cloud.start()


@pytest.mark.parametrize(("name", "comes"), [(BYTES, False), (BESIDE, True)])
def test_a_write_that_fails_is_not_said_to_be_done_and_leaves_an_object_whole(cloud, name, comes):
    fail_to_put(cloud, NEW, name=name, ContentType="image/new", Metadata={"owner": "bob"})

    restart(cloud)

    assert stored(cloud) == ((NEW, "image/new", {"owner": "bob"}) if comes else (OLD, "image/old", {"owner": "ada"}))


def test_a_second_write_that_fails_leaves_whole_what_came_of_the_first(cloud):
    fail_to_put(cloud, NEW, name=BESIDE, ContentType="image/new", Metadata={"owner": "bob"})
    fail_to_put(cloud, LATER, name=BYTES)

    restart(cloud)

    assert stored(cloud) == (NEW, "image/new", {"owner": "bob"})


def test_what_is_written_after_a_write_that_failed_stays(cloud):
    fail_to_put(cloud, NEW, name=BESIDE, ContentType="image/new", Metadata={"owner": "bob"})
    put(cloud, NEW, ContentType="image/later", Metadata={"owner": "eve"})

    restart(cloud)

    assert stored(cloud) == (NEW, "image/later", {"owner": "eve"})


def test_an_object_that_is_deleted_after_a_write_that_failed_stays_so(cloud):
    s3 = cloud.client("s3")
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    fail_to_put(cloud, NEW, name=BESIDE)
    s3.delete_object(Bucket="photos", Key="a.jpg")

    restart(cloud)

    with pytest.raises(s3.exceptions.NoSuchKey):
        stored(cloud)


def test_a_note_that_was_not_written_to_its_end_is_passed_over(tmp_path: Path):
    (tmp_path / "half").write_text('{"path": "/nowh')
    (tmp_path / "of nothing").write_text('{"path": "/nowhere/a.jpg", "sum": [0, 0], "known": {}}')

    finish(tmp_path)

    assert list(tmp_path.iterdir()) == []
