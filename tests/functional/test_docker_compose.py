"""docker-compose.yml without Docker: what it says is read, and its commands are run against the local cloud."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.local_cloud_fixture import running_local_cloud
from tests.meta.project import ROOT

yaml: Any = pytest.importorskip("yaml")
#: What a job of the older system was told by its variables.
VARIABLES = {
    "BATCH_JOB_KEY",
    "AWS_REGION",
    "IN_BUCKET",
    "JSON_LOCATION",
    "OUT_BUCKET",
    "OUT_KEY",
    "DIVIDE_CAMERA_WISE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
}


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def test_all_variables_of_a_job_are_there_to_be_set(services):
    assert VARIABLES <= services["compress"]["environment"].keys()


def test_images_come_from_the_registry_or_from_this_checkout_and_need_no_account(services):
    assert {service["image"] for service in services.values() if "image" in service} == {"python:3.13-slim-bookworm"}
    assert all(
        service["build"] == {"context": ".", "target": "batch"} for name, service in services.items() if name != "s3"
    )
    assert " AS batch" in (ROOT / "Dockerfile").read_text()


def test_the_local_s3_is_the_pinned_one_and_nobody_else_reaches_it(services):
    pinned = re.search(r"^ministack==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)

    assert pinned[0] in services["s3"]["command"].split()
    assert services["s3"]["environment"]["BIND_HOST"] == "127.0.0.1"
    assert not any("ports" in service for service in services.values())


def test_the_job_begins_when_the_pictures_are_there(services):
    assert services["upload"]["depends_on"] == {"s3": {"condition": "service_healthy"}}
    assert services["compress"]["depends_on"] == {"upload": {"condition": "service_completed_successfully"}}
    assert services["upload"]["network_mode"] == services["compress"]["network_mode"] == "service:s3"


@pytest.mark.local_cloud
def test_its_commands_compress_the_pictures_of_the_list(services, tmp_path):
    """In a local cloud of their own: the names of the buckets are as simple as those in the file."""
    with running_local_cloud(tmp_path) as cloud:

        def run(command: list[str], service: str) -> str:
            told = services[service]["environment"] | {"AWS_ENDPOINT_URL": cloud.endpoint_url}
            environ = {**os.environ, **told, "AWS_DEFAULT_REGION": told["AWS_REGION"]}
            ended = subprocess.run([sys.executable, *command], env=environ, capture_output=True, text=True, timeout=250)
            assert ended.returncode == 0, ended.stderr
            return ended.stdout

        _, script, folder = services["upload"]["entrypoint"]
        run([str(ROOT / script.strip("/")), str(ROOT / folder.strip("/"))], "upload")
        said = run([str(ROOT / "bulk" / "compress_images.py")], "compress")

        made = cloud.client("s3").list_objects_v2(Bucket="out", Prefix="compressed/photos/")
    count = made["KeyCount"]
    assert count > 5
    assert said.splitlines()[-1] == f"Compressed {count}/{count} files."


def test_the_example_of_a_list_is_what_the_command_makes_of_the_example_of_a_text_file(tmp_path):
    out = tmp_path / "list.json"
    environ = {**os.environ, "IMAGE_PIPELINE_HOME": str(tmp_path)}
    command = [sys.executable, "bulk/create_file_list.py", "test_files/images.txt", "2", str(out)]

    subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True, timeout=60)

    assert out.read_text() == (ROOT / "test_files" / "file_list.json").read_text()


def test_every_picture_of_the_example_is_there():
    names = [line.rpartition("/")[2] for line in (ROOT / "test_files" / "images.txt").read_text().splitlines()]

    assert names and all((ROOT / "img" / name).is_file() for name in names)
