from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from pipeline.errors import Code, RejectError, RetryError
from pipeline.web.guard import Guard
from pipeline.web.notifications import Postbacks
from pipeline.web.outbound import Outbound
from pipeline.web.signing import SigningSecret, new_secret
from tests.certificates import Authority
from tests.functional.fetching import loopback_outbound
from tests.hostile_origin import HOST, answer, drip, flood, origin, raw, reset, silence
from tests.meta.project import ROOT

SECRET = new_secret()
BODY = {"image_url": "http://example.com/größe.png", "_id": "5f", "image_url_info": None, "n": 1.5}
OK = b"HTTP/1.1 200 OK\r\n"


def postbacks_for(server, *secrets, tls=None, **named):
    outbound = loopback_outbound(server.port, **({"tls": tls} if tls else {}))
    return Postbacks(outbound, signers=[SigningSecret(secret) for secret in secrets or (SECRET,)], **named)


def sent(*secrets, **named):
    """The request of one postback."""
    with origin({"/hook": answer()}) as server:
        postbacks_for(server, *secrets, **named).send(server.url("/hook"), BODY, "msg_1")
    (request,) = server.requests
    return request


def test_a_postback_is_the_body_as_json():
    request = sent()

    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == BODY


def test_a_receiver_with_the_library_of_the_specification_accepts_it():
    request = sent()

    assert Webhook(SECRET).verify(request.body, dict(request.headers)) == BODY
    assert request.headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize(
    "forge",
    [
        lambda headers, body: (headers, body.replace(b"1.5", b"2.5")),
        lambda headers, body: ({**headers, "webhook-id": "msg_2"}, body),
        lambda headers, body: ({**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}, body),
        lambda headers, body: ({**headers, "webhook-signature": "v1,AAAA"}, body),
    ],
    ids=["body", "id", "time", "signature"],
)
def test_a_receiver_refuses_what_was_forged(forge):
    request = sent()

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(*reversed(forge(dict(request.headers), request.body)))


def test_a_receiver_refuses_a_postback_that_is_played_again_later():
    request = sent(now=lambda: time.time() - 301)

    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(request.body, dict(request.headers))


def test_while_secrets_change_receivers_with_either_one_accept_and_others_do_not():
    new, old = new_secret(), new_secret()

    request = sent(new, old)

    assert Webhook(new).verify(request.body, dict(request.headers)) == BODY
    assert Webhook(old).verify(request.body, dict(request.headers)) == BODY
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.body, dict(request.headers))


def test_each_try_has_the_same_id_and_a_time_of_its_own():
    times = iter([1_000_000.9, 1_000_300.2])
    with origin({"/hook": answer(500)}) as server:
        postbacks = postbacks_for(server, now=lambda: next(times))
        for _ in range(2):
            with pytest.raises(RetryError):
                postbacks.send(server.url("/hook"), BODY, "msg_1")

    assert [request.headers["webhook-id"] for request in server.requests] == ["msg_1", "msg_1"]
    assert [request.headers["webhook-timestamp"] for request in server.requests] == ["1000000", "1000300"]


def test_without_a_signing_secret_nothing_is_sent():
    with pytest.raises(ValueError, match="signing secret"):
        Postbacks(Outbound(Guard()), signers=[])


def code_block(language):
    return re.findall(
        rf"```{language}\n(.*?)```", (ROOT / "docs" / "postback.md").read_text(encoding="utf-8"), re.DOTALL
    )


def test_the_python_of_the_documentation_tells_ours_from_others():
    (code,) = code_block("python")
    names: dict[str, Any] = {}
    exec(code, names)
    request = sent()

    assert names["verified"](SECRET, dict(request.headers), request.body) == BODY
    assert names["verified"](new_secret(), dict(request.headers), request.body) is None


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_the_javascript_of_the_documentation_tells_ours_from_others():
    (code,) = code_block("javascript")
    request, late = sent(new_secret(), SECRET), sent(now=lambda: time.time() - 301)
    cases = [
        [SECRET, dict(request.headers), request.body.decode()],
        [new_secret(), dict(request.headers), request.body.decode()],
        [SECRET, dict(request.headers), request.body.decode() + " "],
        [SECRET, dict(late.headers), late.body.decode()],
        [SECRET, {}, request.body.decode()],
    ]
    tail = f"\nconsole.log(JSON.stringify({json.dumps(cases)}.map((one) => verified(...one))));"

    ended = subprocess.run(["node", "-e", code + tail], capture_output=True, text=True, check=True)

    assert json.loads(ended.stdout) == [BODY, None, None, None, None]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_delivered(status):
    with origin({"/hook": answer(status)}) as server:
        postbacks_for(server).send(server.url("/hook"), BODY, "msg_1")

    assert len(server.requests) == 1


CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"
NEVER = b"Retry-After: Mon, 1 Jan " + b"9" * 40 + b" 00:00:00 GMT\r\n\r\n"


@pytest.mark.parametrize(
    "rest",
    [
        flood(OK + b"\r\n", bytes(9999)),
        drip(OK + b"\r\n", b"x"),
        raw(OK + b"\r\n"),
        flood(CHUNKS + b"-1\r\n", bytes(9999)),
        raw(CHUNKS + b"-5\r\nx"),
        raw(OK + NEVER),
    ],
)
def test_once_the_receiver_has_said_2xx_what_else_it_says_does_not_count(rest):
    with origin({"/hook": rest}) as server:
        postbacks_for(server, deadline=1).send(server.url("/hook"), BODY, "msg_1")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_comes_back_later(status):
    with origin({"/other": answer()}) as server:
        server.behaviours["/hook"] = answer(status, {"Location": server.url("/other")})

        with pytest.raises(RetryError, match=str(status)):
            postbacks_for(server).send(server.url("/hook"), BODY, "msg_1")

    assert [request.path for request in server.requests] == ["/hook"]


def test_410_stops():
    with origin({"/hook": answer(410)}) as server, pytest.raises(RejectError) as error:
        postbacks_for(server).send(server.url("/hook"), BODY, "msg_1")

    assert error.value.code is Code.POSTBACK_GONE


@pytest.mark.parametrize(
    ("status", "headers", "wait"), [(429, {"Retry-After": "77"}, 77), (500, {}, None), (404, {}, None)]
)
def test_other_answers_come_back_after_as_long_as_the_receiver_asks_for(status, headers, wait):
    with origin({"/hook": answer(status, headers)}) as server, pytest.raises(RetryError) as error:
        postbacks_for(server).send(server.url("/hook"), BODY, "msg_1")

    assert error.value.after == wait


@pytest.mark.parametrize("behaviour", [silence, reset, raw(b""), drip(OK, b"X: y\r\n"), raw(b"no HTTP\r\n\r\n")])
def test_a_receiver_that_does_not_answer_is_left_in_time_and_tried_again_later(behaviour):
    with origin({"/hook": behaviour}) as server:
        began = time.monotonic()
        with pytest.raises(RetryError):
            postbacks_for(server, deadline=1).send(server.url("/hook"), BODY, "msg_1")

    assert time.monotonic() - began < 2


def test_a_receiver_that_takes_the_body_slowly_is_left_in_time():
    large = {"image_url": "x" * 12_000_000}
    with origin({"/hook": answer()}) as server:
        server.open.clear()
        began = time.monotonic()
        with pytest.raises(RetryError):
            postbacks_for(server, deadline=1).send(server.url("/hook"), large, "msg_1")

    assert time.monotonic() - began < 2


def test_a_connection_is_used_again():
    with origin({"/hook": answer(body=b"thanks")}) as server:
        postbacks = postbacks_for(server)
        for number in range(4):
            postbacks.send(server.url("/hook"), BODY, f"msg_{number}")

    assert len({request.port for request in server.requests}) == 1


@pytest.mark.parametrize("status", [102, 103, 199])
def test_what_only_announces_the_answer_is_none(status):
    announced = f"HTTP/1.1 {status} Soon\r\n\r\n".encode()
    taken = announced * 2 + OK + b"Content-Length: 0\r\n\r\n"
    gone = announced + b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
    with origin({"/hook": raw(taken, keep=True), "/gone": raw(gone, keep=True)}) as server:
        postbacks = postbacks_for(server)
        for _ in range(2):
            postbacks.send(server.url("/hook"), BODY, "msg_1")
            with pytest.raises(RejectError, match="POSTBACK_GONE"):
                postbacks.send(server.url("/gone"), BODY, "msg_2")

    # Nothing of an answer was left for the next one on the same connection.
    assert len(server.requests) == 4 and len({request.port for request in server.requests}) == 1


def test_the_secret_key_is_in_the_body_only_where_it_was_set(tmp_path):
    authority = Authority(tmp_path)
    with origin({"/hook": answer()}, tls=authority.server(HOST)) as server:
        postbacks_for(server, tls=authority.trusted(), secret_key="hunter2").send(server.url("/hook"), BODY, "msg_1")
        postbacks_for(server, tls=authority.trusted()).send(server.url("/hook"), BODY, "msg_1")

    assert [json.loads(request.body) for request in server.requests] == [
        BODY | {"postback_secret_key": "hunter2"},
        BODY,
    ]


def test_the_secret_key_never_goes_over_http_unless_that_was_allowed():
    with origin({"/hook": answer()}) as server:
        with pytest.raises(RejectError, match="POSTBACK_ALLOW_HTTP=1") as error:
            postbacks_for(server, secret_key="hunter2").send(server.url("/hook"), BODY, "msg_1")
        assert server.requests == []
        postbacks_for(server, secret_key="hunter2", allow_http=True).send(server.url("/hook"), BODY, "msg_1")

    assert error.value.code is Code.URL_REFUSED
    assert json.loads(server.requests[0].body)["postback_secret_key"] == "hunter2"


@pytest.mark.parametrize("status", [301, 404, 410, 500])
def test_no_secret_and_no_path_is_in_what_an_error_says(status):
    with origin({"/token-in-path?k=token-in-query": answer(status)}) as server:
        postbacks = postbacks_for(server, secret_key="hunter2", allow_http=True)
        with pytest.raises((RejectError, RetryError)) as error:
            postbacks.send(server.url("/token-in-path?k=token-in-query"), BODY, "msg_1")

    assert not re.search(f"token|hunter2|{re.escape(SECRET[6:])}", repr(error.value))


def test_a_certificate_that_is_wrong_today_may_be_right_tomorrow(tmp_path):
    with origin({"/hook": answer()}, tls=Authority(tmp_path).server(HOST)) as server, pytest.raises(RetryError):
        postbacks_for(server).send(server.url("/hook"), BODY, "msg_1")


def test_what_is_no_json_is_not_sent():
    with origin({"/hook": answer()}) as server, pytest.raises(ValueError):
        postbacks_for(server).send(server.url("/hook"), {"n": float("nan")}, "msg_1")

    assert server.requests == []
