"""Signatures, against the example of the specification and its own library."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from pipeline.web.signing import SigningSecret, new_secret, signature_headers

KEYS = st.binary(min_size=24, max_size=64)


def test_the_example_of_the_specification_has_the_signature_of_the_specification():
    signer = SigningSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    signature = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(KEYS, st.integers(0, 4_000_000_000), st.text())
def test_every_signature_is_the_one_that_the_library_makes(key, timestamp, body):
    text = "whsec_" + base64.b64encode(key).decode()

    ours = SigningSecret(text).sign("msg_1", timestamp, body.encode("utf-8", "replace"))

    moment = datetime.fromtimestamp(timestamp, UTC)
    assert ours == Webhook(text).sign("msg_1", moment, body.encode("utf-8", "replace").decode())


def test_several_secrets_make_several_signatures_the_first_one_first():
    first, second = SigningSecret(new_secret()), SigningSecret(new_secret())

    headers = signature_headers([first, second], message_id="msg_1", timestamp=7, body=b"{}")

    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "7",
        "webhook-signature": f"{first.sign('msg_1', 7, b'{}')} {second.sign('msg_1', 7, b'{}')}",
    }


def test_new_secrets_are_different_and_long_enough():
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in secrets)


@pytest.mark.parametrize("bytes_", [0, 23, 65])
def test_a_secret_of_another_length_is_none(bytes_):
    with pytest.raises(ValueError, match="24 to 64"):
        SigningSecret("whsec_" + base64.b64encode(bytes(bytes_)).decode())
