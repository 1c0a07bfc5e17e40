"""Two deployments in one account: what happens in one is not seen in the other, and one goes without the other."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass

import pytest

from tests.deployed import Deployment, write_pictures
from tests.images import jpeg, photo
from tests.local_cloud_fixture import LocalCloud, running_local_cloud
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud


@dataclass(frozen=True)
class Named(Deployment):
    """One of several deployments: every command is told which."""

    name: str

    def command(self, *arguments: str, timeout: float = 180, **variables: str):
        return super().command(*arguments, "--local", "--name", self.name, timeout=timeout, **variables)

    @property
    def resources(self) -> dict[str, str]:
        shelve = json.loads(Deployment(self.cloud).command("show_shelve.py", "--json").stdout)
        prefix = f"local/{self.name}/"
        return {key.removeprefix(prefix): value for key, value in shelve.items() if key.startswith(prefix)}

    def keys(self) -> set[str]:
        """The keys of all records, and of all images that the gallery shows: they are the same."""
        table = self.resources["dynamodb-table"]
        records = {item["ImageID"] for item in self.json_lines("query.py", f'SELECT ImageID FROM "{table}"')}
        with urllib.request.urlopen(f"{self.resources['gallery-api-url']}images", timeout=30) as answer:
            shown = {image["ImageID"] for image in json.load(answer)["images"]}
        return records if records == shown else set()


def two(cloud: LocalCloud) -> list[Named]:
    return [Named(cloud, "default"), Named(cloud, "blue")]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with running_local_cloud(tmp_path_factory.mktemp("two")) as cloud:
        for deployment in two(cloud):
            done = deployment.command("setup.py")
            assert done.returncode == 0, done.stderr
        yield two(cloud)


def test_they_share_no_resource(both):
    first, second = (set(deployment.resources.values()) for deployment in both)

    assert len(first) == len(second) > 15
    assert first & second == set()


def test_an_image_of_one_is_no_image_of_the_other(both, tmp_path):
    for number, deployment in enumerate(both):
        folder = write_pictures(
            tmp_path / deployment.name, {f"{deployment.name}.jpg": jpeg(photo((200 + number, 100)))}
        )
        done = deployment.command("upload_folder_images.py", str(folder))
        assert done.returncode == 0, done.stderr

    for deployment in both:
        assert eventually(deployment.keys) == {f"{deployment.name}.jpg"}


def test_when_one_is_torn_down_the_other_works_on(both, tmp_path):
    default, blue = both

    done = blue.command("teardown.py", "--yes", "--delete-originals")

    assert done.returncode == 0, done.stderr
    assert blue.resources == {}
    folder = write_pictures(tmp_path, {"after.jpg": jpeg(photo((220, 100)))})
    uploaded = default.command("upload_folder_images.py", str(folder))
    assert uploaded.returncode == 0, uploaded.stderr
    assert eventually(default.keys) == {"default.jpg", "after.jpg"}
    assert default.command("setup.py").stderr.count("created:") == 0
