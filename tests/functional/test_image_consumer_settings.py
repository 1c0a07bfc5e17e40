"""What the consumer says, before it receives anything, of settings with which it could not work."""

import json
import logging
import subprocess
import sys

import pytest
from moto import mock_aws

from imageservice.ports.workers.image_resizing_consumer import main
from pipeline.clients import make_client
from pipeline.settings import ROOT
from tests.local_cloud_fixture import free_port

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoaXMgdGVzdCBvbmx5LCBub25lIG9mIG91cnM="

WORKER = """
import os
from imageservice.ports.workers.image_resizing_consumer import work_in_crew
from imageservice.ports.workers.worker import Stop
work_in_crew(os.environ, Stop(), lambda: True)
"""


@pytest.fixture
def environ(monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with mock_aws():
        make_client(None, "s3", region="us-east-1").create_bucket(Bucket="images-ch")
        sqs = make_client(None, "sqs", region="us-east-1")
        yield {
            "QUEUE_URL": sqs.create_queue(QueueName="ImageQueue.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"],
            "IMAGES_BUCKET": "images-ch",
            "POSTBACK_SIGNING_SECRETS": SECRET,
            "IMAGE_PIPELINE_HOME": str(tmp_path),
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LEVEL", "LOUD", "LEVEL='LOUD' is none of DEBUG"),
        ("IMAGES_BUCKET", "", "IMAGES_BUCKET is not set"),
        ("IMAGES_BUCKET", "no-such-bucket-here", "there is no such bucket"),
        ("IMAGES_SIZES", "large", "One looks like 50x50"),
        ("QUEUE_URL", "ImageQueue.fifo", "is no address"),
        ("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/None.fifo", "there is no such queue"),
        ("QUEUE_URL", "", "this account has no queue ImageQueueTest.fifo"),
        ("POSTBACK_SIGNING_SECRETS", "short", "POSTBACK_SIGNING_SECRETS"),
        ("VISIBILITY_TIMEOUT", "1", "is not from 3 to 43200 seconds"),
        ("FETCH_ALLOW_PORTS", "all", "FETCH_ALLOW_PORTS"),
    ],
)
def test_a_wrong_setting_ends_it_at_once_and_the_line_says_how_to_mend_it(environ, capsys, name, value, says):
    code = main([], environ | {name: value})

    assert code == 2 and says in capsys.readouterr().err


def test_a_worker_that_begins_while_nobody_answers_ends_with_a_line_and_no_trace(environ):
    closed = {"QUEUE_URL": f"http://127.0.0.1:{free_port()}/000000000000/ImageQueue.fifo"}

    # In a Python of its own, as on systems where workers are not forked.
    ended = subprocess.run(
        [sys.executable, "-c", WORKER], env=environ | closed, cwd=ROOT, capture_output=True, text=True
    )

    (line,) = ended.stderr.splitlines()
    said = json.loads(line)
    assert ended.returncode == 254
    assert (said["level"], said["message"]) == ("ERROR", "a worker could not begin")
    assert "nothing answers at" in said["reason"]


def test_half_a_pair_of_keys_and_a_closed_port_are_matters_of_access(environ, capsys):
    keys = main([], environ | {"AWS_ACCESS_KEY_SQS": "key"})
    closed = main([], environ | {"QUEUE_URL": f"http://127.0.0.1:{free_port()}/000000000000/ImageQueue.fifo"})

    said = capsys.readouterr().err
    assert (keys, closed) == (254, 254)
    assert "AWS_SECRET_KEY_SQS is not set" in said and "python -m local_cloud start" in said


@pytest.mark.parametrize("arguments", [["-w", "0"], ["-w", "many"], ["--work", "2"], ["2"]])
def test_wrong_arguments_end_with_2(arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments, {})

    assert ended.value.code == 2


def test_the_help_is_one_sentence_and_examples(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"], {})

    assert ended.value.code == 0 and "-w 8" in capsys.readouterr().out


def test_a_closed_port_of_the_other_loopback_is_named_too(environ, capsys):
    closed = {"AWS_ENDPOINT_URL": f"http://[::1]:{free_port()}"}

    assert main([], environ | closed) == 254
    assert "nothing answers at http://[::1]:" in capsys.readouterr().err
