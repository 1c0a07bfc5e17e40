"""Credentials that are missing, half there, expired or refused: one line with the cure, 254, and nothing is made."""

import http.server
import threading

import pytest
from moto import mock_aws

from cli.state import open_state
from setup_scripts import setup_command, teardown_command, upload_folder_images

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>the words of AWS</Message></Error><RequestId>1</RequestId></ErrorResponse>"""


@pytest.fixture
def refusing(monkeypatch, tmp_path):
    """An AWS that answers every request with one error; returns a function that sets it and a list of requests."""
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        code = ""

        def do_POST(self):
            requests.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            body = ERROR.format(code=self.code).encode()
            self.send_response(403)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("IMAGE_PIPELINE_HOME", str(tmp_path))

    def answer(code):
        Handler.code = code
        return requests

    yield answer
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredToken", "the AWS credentials have expired"),
        ("InvalidClientTokenId", "AWS does not accept these credentials"),
        ("AccessDenied", "these credentials may not call GetCallerIdentity"),
    ],
)
@pytest.mark.parametrize("command", [setup_command.main, upload_folder_images.main])
def test_what_aws_refuses_ends_before_anything_is_made(refusing, capsys, command, code, words):
    requests = refusing(code)

    assert command([]) == 254

    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert [request.split("&")[0] for request in requests] == ["Action=GetCallerIdentity"]


def test_without_credentials_aws_is_not_even_asked(monkeypatch, tmp_path, capsys):
    for name in (*KEYS, "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("IMAGE_PIPELINE_HOME", str(tmp_path))

    assert setup_command.main(["--aws"]) == 254

    error = capsys.readouterr().err
    assert "no usable AWS credentials" in error and ".env" in error
    assert error.count("\n") == 1


PARTIAL = {
    "a key without its secret": (["key_id=AKIA1"], "has aws_access_key_id but no aws_secret_access_key"),
    "a secret without its key": (["secret_access_key=1"], "has aws_secret_access_key but no aws_access_key_id"),
    "no token with a key of AWS Academy": (["key_id=ASIA1", "secret_access_key=1"], "but no aws_session_token"),
}


@pytest.mark.parametrize("place", ["the environment", ".env"])
@pytest.mark.parametrize("missing", PARTIAL)
def test_partial_credentials_are_told_and_nothing_is_made(monkeypatch, tmp_path, capsys, place, missing):
    lines, words = PARTIAL[missing]
    for name in (*KEYS, "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("IMAGE_PIPELINE_HOME", str(tmp_path))
    spelled = [f"aws_{line}".replace("aws_key_id", "aws_access_key_id") for line in lines]
    if place == ".env":
        (tmp_path / ".env").write_text("\n".join(spelled))
    else:
        for line in spelled:
            name, _, value = line.partition("=")
            monkeypatch.setenv(name.upper(), value)

    assert setup_command.main(["--aws"]) == 254

    error = capsys.readouterr().err
    assert error.startswith(f"error: {place} ") and words in error and error.count("\n") == 1
    with open_state(tmp_path) as shelf:
        assert dict(shelf) == {}


def test_a_profile_that_does_not_exist_is_wrong_use(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("IMAGE_PIPELINE_HOME", str(tmp_path))

    assert setup_command.main(["--profile", "nobody"]) == 2

    assert "nobody" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_a_region_of_another_partition_is_refused_before_anything_is_made(monkeypatch, tmp_path, capsys, options):
    monkeypatch.setenv("IMAGE_PIPELINE_HOME", str(tmp_path))
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with mock_aws():
        assert setup_command.main(["--aws", "--region", "cn-north-1", *options]) == 2

    said = capsys.readouterr()
    assert "cn-north-1 is one of aws-cn" in said.err and "created" not in said.err + said.out


IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>A</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


def test_a_teardown_that_knows_nothing_and_may_not_search_deletes_nothing_and_says_so(monkeypatch, tmp_path, capsys):
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
            requests.append(self.headers.get("X-Amz-Target") or asked.split("&")[0])
            known = requests[-1] == "Action=GetCallerIdentity"
            body = (IDENTITY if known else '{"__type": "AccessDeniedException", "message": "no"}').encode()
            self.send_response(200 if known else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("IMAGE_PIPELINE_HOME", str(tmp_path))
        code = teardown_command.main(["--yes"])
        server.shutdown()

    said = capsys.readouterr().err
    assert code == 254 and "tag:GetResources" in said and "Nothing is left" not in said
    assert requests == ["Action=GetCallerIdentity", "ResourceGroupsTaggingAPI_20170126.GetResources"]
