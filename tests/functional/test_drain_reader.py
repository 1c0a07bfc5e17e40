"""Objects are asked for directly once botocore has shown how; what that cannot do goes the whole way."""

from __future__ import annotations

import json

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from bulk.drain.reader import Reader
from tests.local_cloud_fixture import running_local_cloud
from tests.odd_keys import ODD_KEYS

pytestmark = pytest.mark.local_cloud
ALL_OF_S3 = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def strict_cloud(tmp_path_factory):
    """A local cloud that looks at signatures, and a user of it."""
    with running_local_cloud(tmp_path_factory.mktemp("strict"), "--auth") as cloud:
        iam, s3 = cloud.client("iam"), cloud.client("s3")
        iam.create_user(UserName="reader")
        iam.put_user_policy(UserName="reader", PolicyName="s3", PolicyDocument=json.dumps(ALL_OF_S3))
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        s3.create_bucket(Bucket="odd")
        for name in ODD_KEYS:
            s3.put_object(Bucket="odd", Key=name, Body=name.encode())
        yield cloud, key["AccessKeyId"], key["SecretAccessKey"]


def reader(cloud, access, secret):
    """It, and the list of its requests that went the whole way."""
    session, whole_way = botocore.session.Session(), []
    session.set_credentials(access, secret)
    config = Config(response_checksum_validation="when_required")
    client = session.create_client("s3", endpoint_url=cloud.endpoint_url, region_name="us-east-1", config=config)
    client.meta.events.register("before-call.s3.GetObject", lambda params, **_: whole_way.append(params["url_path"]))
    return Reader(client, "odd", session.get_credentials()), whole_way


def read(answer):
    data = b"".join(iter(lambda: answer["Body"].read1(100), b""))
    answer["Body"].close()
    return data


def test_every_key_after_the_first_is_asked_for_directly_and_its_signature_is_taken(strict_cloud):
    ours, whole_way = reader(*strict_cloud)

    contents = {key: read(ours.get_object(key)) for key in ODD_KEYS}

    assert contents == {key: key.encode() for key in ODD_KEYS}
    assert len(whole_way) == 1


def test_ranges_and_conditions_are_asked_for_directly_too(strict_cloud):
    ours, whole_way = reader(*strict_cloud)
    etag = ours.get_object("a b.jpg")["ETag"]

    answer = ours.get_object("a b.jpg", Range="bytes=2-", IfMatch=etag)

    assert read(answer) == b"b.jpg"
    assert answer["ContentRange"] == "bytes 2-6/7"
    assert len(whole_way) == 1


def test_what_is_refused_is_asked_for_the_whole_way_which_says_why(strict_cloud):
    ours, whole_way = reader(*strict_cloud)
    ours.get_object("a b.jpg")

    with pytest.raises(ClientError, match="NoSuchKey"):
        ours.get_object("nowhere")

    assert len(whole_way) == 2


def test_a_wrong_secret_is_refused_here(strict_cloud):
    cloud, access, _ = strict_cloud
    ours, _ = reader(cloud, access, "wrong")

    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        ours.get_object("a b.jpg")
