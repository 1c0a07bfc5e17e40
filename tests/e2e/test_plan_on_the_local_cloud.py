"""`setup.py --dry-run` beside the setup that it tells of, on a local cloud that runs."""

import json

import pytest

from tests.deployed import Deployment
from tests.local_cloud_fixture import running_local_cloud

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with running_local_cloud(tmp_path_factory.mktemp("plan")) as cloud:
        yield Deployment(cloud)


def planned(deployment, *options):
    """Fate → the resources that have it."""
    done = deployment.command("setup.py", "--local", "--dry-run", "--json", *options)
    assert done.returncode == 0, done.stderr
    return {
        fate: {f"{one['kind']} {one['name']}" for one in resources}
        for fate, resources in json.loads(done.stdout).items()
        if resources
    }


def set_up(deployment, *options):
    done = deployment.command("setup.py", "--local", *options)
    assert done.returncode == 0, done.stderr


def kinds(resources):
    return sorted(one.split()[0] for one in resources)


def test_a_plan_is_followed_by_what_it_says(empty):
    fresh = planned(empty)
    assert fresh.keys() == {"made"} and empty.resources == {}
    set_up(empty)

    after = planned(empty)

    assert after.keys() == {"left"}
    assert kinds(after["left"]) == kinds(fresh["made"])


def test_a_snapshot_changes_the_gallery_and_the_address_that_its_page_knows(empty):
    changed = {"function ImageGalleryFunction", f"page {empty.resources['thumbnails-bucket']}"}
    assert planned(empty, "--snapstart")["changed"] == changed
    set_up(empty, "--snapstart")

    assert planned(empty).keys() == {"left"}
    back = planned(empty, "--no-snapstart", "--no-alarms")

    assert back["changed"] == changed
    assert set(kinds(back["deleted"])) == {"alarm", "dashboard"}
    assert planned(empty).keys() == {"left"}, "a plan that was told of options has kept none"
