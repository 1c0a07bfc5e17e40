"""The whole way with the local cloud's authentication on: each function has the rights of its role, and no others."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from tests.deployed import Deployment, write_pictures
from tests.images import jpeg, photo, truncated
from tests.local_cloud_fixture import running_local_cloud
from tests.waiting import eventually

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    with running_local_cloud(tmp_path_factory.mktemp("guarded"), "--auth") as cloud:
        deployment = Deployment(cloud)
        done = deployment.command("setup.py", "--local")
        assert done.returncode == 0, done.stderr
        yield deployment


def ask(deployment, path):
    """Status and answer of the gallery's API."""
    try:
        with urllib.request.urlopen(deployment.resources["gallery-api-url"] + path, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_every_outcome_is_possible_with_the_rights_of_the_roles(guarded, tmp_path):
    good = jpeg(photo((300, 200)))
    folder = write_pictures(tmp_path, {"good.jpg": good, "cut.jpg": truncated(good)})

    done = guarded.command("upload_folder_images.py", str(folder))

    assert "TRUNCATED_IMAGE" in done.stderr and guarded.record("good.jpg")["Outcome"] == "DONE"
    guarded.upload("good.jpg", jpeg(photo((200, 300))))
    eventually(lambda: guarded.record("good.jpg")["PixelHeight"] == 300)
    uploads = guarded.resources["images-bucket"]
    guarded.cloud.client("s3").delete_object(Bucket=uploads, Key="good.jpg")
    eventually(lambda: guarded.record("good.jpg") is None)
    status, page = ask(guarded, "images")
    assert (status, [image["ImageID"] for image in page["images"]]) == (200, ["cut.jpg"])
    eventually(lambda: ask(guarded, "stats")[1].get("problems") == 1)


def test_without_its_policy_a_function_may_nothing(guarded):
    role = guarded.resources["gallery-role-arn"].rsplit("/", 1)[1]
    guarded.cloud.client("iam").delete_role_policy(RoleName=role, PolicyName="image-pipeline")

    status, problem = ask(guarded, "images")

    assert status == 503, problem
