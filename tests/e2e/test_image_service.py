"""The image service as `setup.py --with-image-service` makes it, with signatures and policies enforced."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

from tests.deployed import Deployment
from tests.images import jpeg, photo
from tests.local_cloud_fixture import running_local_cloud
from tests.waiting import eventually
from tests.web import Web, running_web

pytestmark = pytest.mark.local_cloud

JPEG = jpeg(photo((1000, 600)), quality=90)


@dataclass
class Service:
    deployment: Deployment
    web: Web
    names: dict[str, str]

    def client(self, service: str) -> Any:
        return self.deployment.cloud.client(service)

    def send(self, **message: Any) -> None:
        """As producers send: with the client of the older service."""
        code = "import json, sys; from imageservice.services.sqs import SQS; "
        code += "SQS().send_message_to_topic(json.loads(sys.argv[1]))"
        done = self.deployment.command("-c", code, json.dumps(message), QUEUE_URL=self.names["image-queue"])
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_web() as web, running_local_cloud(tmp_path_factory.mktemp("service"), "--auth") as cloud:
        web.pages["/a.jpg"] = JPEG
        deployment = Deployment(cloud)
        told: dict[str, Any] = {**web.environ, "REDIRECT_QUEUES": "Next*"}
        done = deployment.command("setup.py", "--local", "--with-image-service", **told)
        assert done.returncode == 0, done.stderr
        yield Service(deployment, web, deployment.resources)


def test_a_message_is_answered_by_the_function(service: Service):
    queue = service.client("sqs").create_queue(QueueName="NextImages")["QueueUrl"]

    service.send(
        image_url=f"{service.web.address}/a.jpg",
        itunes_image=f"{service.web.address}/missing.jpg",
        bucket_name="Test Bucket",
        redirect_queue="NextImages",
        postback_url=f"{service.web.address}/postback",
        extra=[1, {"kept": None}],
    )
    eventually(lambda: service.web.posted)

    [posted] = service.web.posted
    assert posted.body["extra"] == [1, {"kept": None}] and posted.headers["webhook-id"].startswith("msg_")
    assert posted.body["itunes_image_info"] is None and posted.body["errors"][0]["code"] == "FETCH_FAILED"
    [redirected] = eventually(
        lambda: service.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")
    )
    assert json.loads(redirected["Body"]) == posted.body
    sizes = {}
    for size, made in posted.body["image_url_info"].items():
        # Without keys, as everybody reads them.
        with urllib.request.urlopen(made["url"]) as answer, Image.open(io.BytesIO(answer.read())) as image:
            sizes[size] = image.size
    assert sizes == {"50x50": (50, 30), "250X250": (250, 150), "800x800": (800, 480)}


def test_a_failed_postback_comes_again_and_what_waits_for_it_is_read_by_nobody(service: Service):
    failing = [503]
    service.web.disturb = lambda method, path: failing.pop() if method == "POST" and failing else None
    before = len(service.web.posted)

    service.send(image_url=f"{service.web.address}/a.jpg", postback_url=f"{service.web.address}/again")
    bucket = service.names["service-bucket"]
    kept = eventually(lambda: _kept(service, bucket))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{service.deployment.cloud.endpoint_url}/{bucket}/{kept}")
    eventually(lambda: len(service.web.posted) > before)

    assert refused.value.code == 403
    eventually(lambda: not _kept(service, bucket))


def _kept(service: Service, bucket: str) -> str | None:
    found = service.client("s3").list_objects_v2(Bucket=bucket, Prefix="deliveries/").get("Contents", [])
    return next((str(entry["Key"]) for entry in found), None)


def test_teardown_takes_the_service_along(service: Service):
    done = service.deployment.command("teardown.py", "--local", "--yes")

    assert done.returncode == 0, done.stderr
    assert service.client("s3").list_buckets()["Buckets"] == []
    left = service.client("sqs").list_queues().get("QueueUrls", [])
    assert [url.rpartition("/")[2] for url in left] == ["NextImages"]
