"""The bulk commands over HTTPS, as AWS is spoken to, through a network with a certificate authority of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.certificates import Authority
from tests.deployed import Deployment
from tests.https_front import HOST, https_front
from tests.images import jpeg, photo
from tests.local_cloud_fixture import CREDENTIALS, ROOT

PICTURES = {f"{name}.jpg": jpeg(photo((320, 240)), quality=95) for name in ("a", "b", "c")}


@dataclass
class Network:
    """A bucket with three pictures and a file that is none, and commands that reach it over HTTPS only."""

    s3: Any
    address: str
    bundle: Path
    bucket: str

    @property
    def folder(self) -> Path:
        return self.bundle.parent

    def run(self, *arguments: str, trusting: bool = True) -> subprocess.CompletedProcess[str]:
        trust = {"AWS_CA_BUNDLE": str(self.bundle)} if trusting else {}
        plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        told = {**CREDENTIALS, "AWS_ENDPOINT_URL": self.address, "IMAGE_PIPELINE_HOME": str(self.folder)}
        return subprocess.run(
            [sys.executable, str(ROOT / arguments[0]), *arguments[1:]],
            cwd=self.folder, env={**plain, **told, **trust}, capture_output=True, text=True, timeout=180,
        )  # fmt: skip

    def found(self, prefix: str = "") -> dict[str, bytes]:
        """What is there, directly."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {one["Key"]: self.s3.get_object(Bucket=self.bucket, Key=one["Key"])["Body"].read() for one in listed}


@pytest.fixture
def network(deployment: Deployment, tmp_path: Path) -> Iterator[Network]:
    bucket, authority = f"photos-{uuid4().hex[:8]}", Authority(tmp_path)
    with https_front(deployment.cloud.port, authority.server(HOST)) as address:
        network = Network(deployment.cloud.client("s3"), address, authority.bundle(), bucket)
        network.s3.create_bucket(Bucket=bucket)
        for key, data in {**PICTURES, "broken.jpg": b"no picture"}.items():
            network.s3.put_object(Bucket=bucket, Key=key, Body=data)
        yield network


def test_the_jobs_of_a_list_trust_the_authority_that_the_command_was_told_to_trust(network: Network):
    names = [f"s3://{network.bucket}/{key}" for key in [*PICTURES, "broken.jpg"]]
    batches = {"batch_1": names[:2], "batch_2": names[2:]}
    network.s3.put_object(Bucket=network.bucket, Key="list.json", Body=json.dumps(batches).encode())
    command = [
        "bulk/run_file_list_locally.py",
        f"s3://{network.bucket}/list.json",
        f"s3://{network.bucket}/out",
        "--json",
    ]

    done = network.run(*command)
    stranger = network.run(*command, trusting=False)

    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout) == {"compressed": 3, "images": 4, "batches": 2, "failed": {"batch_2": 1}}
    assert len(network.found(f"out/{network.bucket}/")) == 3
    assert "batch_2: " in done.stderr and "broken.jpg" in done.stderr
    # Who was not told to trust it gets nothing over it, and one line.
    assert stranger.returncode == 254, stranger.stderr
    assert "CERTIFICATE" in stranger.stderr.upper() and "Traceback" not in stranger.stderr


def test_images_are_compressed_in_their_place(network: Network, tmp_path: Path):
    csv = tmp_path / "list.csv"
    csv.write_text("\n".join(["path", *PICTURES, ""]))
    options = ["--bucket_name", network.bucket, "--csv_path", str(csv), "--backup_prefix", "originals/"]

    done = network.run("bulk/compress_images_from_S3.py", *options)

    assert done.returncode == 0, done.stderr
    now = network.found()
    assert {key: now[f"originals/{key}"] for key in PICTURES} == PICTURES
    assert all(len(now[key]) < len(data) for key, data in PICTURES.items())


def test_a_bucket_is_drained(network: Network, tmp_path: Path):
    done = network.run(
        "bulk/drain_bucket.py",
        "--yes",
        "--bucket-name",
        network.bucket,
        "--path-to-search",
        "*",
        "--local-base-path",
        str(tmp_path / "here"),
    )

    assert done.returncode == 0, done.stderr
    assert network.found() == {}
    files = {path.name: path.read_bytes() for path in (tmp_path / "here").rglob("*.jpg")}
    assert files == {**PICTURES, "broken.jpg": b"no picture"}


def test_bodies_have_their_checksums_behind_them(network: Network):
    """Over HTTP botocore sends them before; what AWS sees of it is seen nowhere else here."""
    import boto3

    seen = []
    s3 = boto3.client(
        "s3",
        endpoint_url=network.address,
        verify=str(network.bundle),
        region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    s3.meta.events.register("before-send.s3.PutObject", lambda request, **_: seen.append(request.headers))

    etag = s3.put_object(Bucket=network.bucket, Key="d.jpg", Body=PICTURES["a.jpg"])["ETag"]

    assert b"x-amz-checksum-" in bytes(str(seen[0].get("X-Amz-Trailer", b"")), "ascii")
    assert etag.strip('"') == hashlib.md5(PICTURES["a.jpg"]).hexdigest()
