"""A deployment from its first command to its last, with the deaths and repetitions that people cause."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.deployed import Deployment, write_pictures
from tests.images import jpeg, photo
from tests.local_cloud_fixture import ROOT, LocalCloud, running_local_cloud

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with running_local_cloud(tmp_path_factory.mktemp("life")) as cloud:
        yield cloud


def what_stands(cloud: LocalCloud) -> dict[str, list[str]]:
    """The names of everything in the cloud, by kind."""
    functions = cloud.client("lambda").list_functions()["Functions"]
    return {
        "buckets": [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]],
        "queues": cloud.client("sqs").list_queues().get("QueueUrls", []),
        "tables": cloud.client("dynamodb").list_tables()["TableNames"],
        "functions": [function["FunctionName"] for function in functions],
        "triggers": [
            mapping["UUID"] for mapping in cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        ],
        "roles": [role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]],
        "log groups": [group["logGroupName"] for group in cloud.client("logs").describe_log_groups()["logGroups"]],
    }


def set_up_and_kill(deployment: Deployment, created: int) -> None:
    """Start setup.py and kill it as soon as it has said `created` times that it made something."""
    environ = {name: value for name, value in deployment.cloud.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "setup.py", "--local"], cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    for line in process.stderr:
        created -= line.startswith("created:")
        if created == 0:
            break
    process.kill()
    process.wait(timeout=30)
    process.stderr.close()


def test_a_setup_that_is_killed_again_and_again_ends_as_one_deployment(cloud):
    deployment = Deployment(cloud)
    for created in (1, 2, 1, 3, 2):
        set_up_and_kill(deployment, created)

    done = deployment.command("setup.py", "--local")

    assert done.returncode == 0, done.stderr
    stands = what_stands(cloud)
    counts = {kind: len(names) for kind, names in stands.items()}
    assert counts["buckets"] == counts["queues"] == counts["triggers"] == 2
    assert counts["functions"] == 3 and "ImageMetadata" in stands["tables"]


def test_a_second_setup_changes_nothing(cloud):
    deployment = Deployment(cloud)
    before, resources = what_stands(cloud), deployment.resources

    done = deployment.command("setup.py")

    assert done.returncode == 0, done.stderr
    assert "created:" not in done.stderr
    assert (what_stands(cloud), deployment.resources) == (before, resources)


def test_the_state_can_be_lost_without_losing_the_deployment(cloud):
    deployment = Deployment(cloud)
    before = deployment.resources
    (cloud.home / "aws_resources.db").unlink()

    done = deployment.command("setup.py", "--local")

    assert done.returncode == 0, done.stderr
    assert deployment.resources == before


def test_teardown_says_first_what_it_would_do(cloud):
    before = what_stands(cloud)

    done = Deployment(cloud).command("teardown.py", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert before["buckets"][0] in done.stdout + done.stderr
    assert what_stands(cloud) == before


def test_teardown_refuses_to_take_originals_that_are_the_users(cloud, tmp_path):
    deployment = Deployment(cloud)
    folder = write_pictures(tmp_path, {"mine.jpg": jpeg(photo())})
    deployment.command("upload_folder_images.py", str(folder))
    before = what_stands(cloud)

    done = deployment.command("teardown.py", "--yes")

    assert done.returncode == 2 and "--delete-originals" in done.stderr
    assert what_stands(cloud) == before


def test_teardown_leaves_nothing_and_a_second_one_finds_nothing(cloud):
    deployment = Deployment(cloud)

    first = deployment.command("teardown.py", "--yes", "--delete-originals")
    second = deployment.command("teardown.py", "--yes", "--delete-originals")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert {kind: names for kind, names in what_stands(cloud).items() if names} == {}
    assert deployment.resources == {}
