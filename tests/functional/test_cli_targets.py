import http.server
import re
import socket
import threading

import pytest

from cli.arguments import Choice
from cli.credentials import aws_session, read_env_file
from cli.exits import CommandError, Exit
from cli.local import ensure_running
from cli.targets import Resolver
from tests.functional.aws_account import ACCOUNT, aws_account
from tests.local_cloud_fixture import free_port

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "secret"}


class Server(http.server.BaseHTTPRequestHandler):
    """Answers the question after its health as the local cloud does, or as some other program would."""

    status = 200

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def port_of():
    """Starts a server that answers with a status; returns its port."""
    servers = []

    def start(status=200, port=0):
        handler = type("Handler", (Server,), {"status": status})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server.server_address[1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def said() -> list[str]:
    """What the resolver says to the person."""
    return []


@pytest.fixture
def resolver(tmp_path, said):
    def make(environ, *, start=None):
        return Resolver(environ=environ, home=tmp_path, say=said.append, start=start)

    return make


@pytest.fixture
def aws(monkeypatch):
    """Credentials are taken from what the test passes, AWS answers from memory."""
    for name in KEYS:
        monkeypatch.delenv(name)
    with aws_account(monkeypatch.delenv):
        yield


def test_local_means_the_local_cloud_whatever_the_environment_holds(resolver, port_of, monkeypatch):
    port = port_of()
    monkeypatch.setenv("AWS_PROFILE", "a-profile-that-does-not-exist")
    environ = {"LOCAL_CLOUD_PORT": str(port), "AWS_ENDPOINT_URL": "http://127.0.0.1:1", **KEYS}

    target = resolver(environ).resolve(Choice(local=True), {})

    credentials = target.session.get_credentials()
    assert (target.prefix, target.endpoint_url) == ("local/default", f"http://127.0.0.1:{port}")
    assert (credentials.access_key, credentials.secret_key, credentials.token) == ("test", "test", None)


def test_a_closed_local_port_is_opened_by_a_root_command(resolver, port_of):
    port = free_port()
    started = []

    def start():
        started.append(True)
        port_of(port=port)

    target = resolver({"LOCAL_CLOUD_PORT": str(port)}, start=start).resolve(Choice(local=True), {})

    assert target.place == "local"
    assert started == [True]


def test_a_closed_local_port_tells_other_programs_how_to_start_it(resolver):
    with pytest.raises(CommandError, match="python -m local_cloud start") as fault:
        resolver({"LOCAL_CLOUD_PORT": str(free_port())}).resolve(Choice(local=True), {})

    assert fault.value.exit_code == Exit.REFUSED


def test_a_port_that_another_program_holds_is_told(resolver, port_of):
    port = port_of(status=404)

    with pytest.raises(CommandError, match=f"port {port} is taken by a program that is not the local cloud"):
        resolver({"LOCAL_CLOUD_PORT": str(port)}).resolve(Choice(local=True), {})


def test_a_port_whose_program_does_not_answer_may_be_the_local_cloud_that_is_busy():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]

        with pytest.raises(CommandError, match=f"port {port} .*not answered for 0.2 s.*local_cloud status") as fault:
            ensure_running(port, None, patience=0.2)

    assert fault.value.exit_code == Exit.REFUSED


def test_without_anything_it_is_the_local_cloud_said_in_one_line(resolver, said, port_of, aws):
    port = port_of()

    target = resolver({"LOCAL_CLOUD_PORT": str(port)}).resolve(Choice(), {})

    assert target.place == "local"
    assert said == [f"No AWS credentials found: using the local cloud at http://127.0.0.1:{port} (--aws for AWS)"]


def test_credentials_lead_to_aws(resolver, aws):
    target = resolver({**KEYS, "AWS_DEFAULT_REGION": "eu-west-1"}).resolve(Choice(), {})

    assert (target.place, target.is_aws) == (f"{ACCOUNT}/eu-west-1", True)


def test_what_setup_recorded_comes_before_credentials(resolver, port_of):
    environ = {**KEYS, "LOCAL_CLOUD_PORT": str(port_of())}
    shelf: dict[str, dict[str, str]] = {}
    resolver(environ).resolve(Choice(local=True, name="blue"), {}).remember(shelf)

    assert resolver(environ).resolve(Choice(), shelf).prefix == "local/blue"


def test_a_recorded_account_is_used_again_with_its_region_and_name(resolver, aws):
    shelf: dict[str, dict[str, str]] = {}
    resolver(KEYS).resolve(Choice(aws=True, region="eu-west-1", name="blue"), {}).remember(shelf)

    assert resolver(KEYS).resolve(Choice(), shelf).prefix == f"{ACCOUNT}/eu-west-1/blue"


def test_credentials_of_another_account_than_the_recorded_one_are_refused(resolver, aws):
    current = {
        "place": "999/us-east-1",
        "name": "default",
        "region": "us-east-1",
        "endpoint_url": None,
        "profile": None,
    }

    with pytest.raises(CommandError, match=f"account 999, but the credentials are of {ACCOUNT}"):
        resolver(KEYS).resolve(Choice(), {"current": current})


def test_forgetting_leaves_another_current_deployment_alone(resolver, port_of):
    environ = {"LOCAL_CLOUD_PORT": str(port_of())}
    blue = resolver(environ).resolve(Choice(local=True, name="blue"), {})
    green = resolver(environ).resolve(Choice(local=True, name="green"), {})
    shelf: dict[str, dict[str, str]] = {}
    blue.remember(shelf)

    green.forget(shelf)
    assert "current" in shelf
    blue.forget(shelf)
    assert shelf == {}


def test_an_endpoint_that_is_the_local_cloud_is_the_local_cloud(resolver, port_of):
    port = port_of()
    environ = {"LOCAL_CLOUD_PORT": str(port), "AWS_ENDPOINT_URL": f"http://localhost:{port}"}

    assert resolver(environ).resolve(Choice(), {}).place == "local"


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_aws_and_an_endpoint_exclude_each_other(resolver, variable):
    with pytest.raises(CommandError, match=f"{variable}=http://127.0.0.1:4566 points elsewhere") as fault:
        resolver({variable: "http://127.0.0.1:4566", **KEYS}).resolve(Choice(aws=True), {})

    assert fault.value.exit_code == Exit.WRONG_USE


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(local=True, profile="work"), "--local needs no --profile"),
        (Choice(local=True, region="eu-west-1"), "the local cloud has one region, us-east-1"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_use(resolver, port_of, choice, words):
    with pytest.raises(CommandError, match=words) as fault:
        resolver({"LOCAL_CLOUD_PORT": str(port_of())}).resolve(choice, {})

    assert fault.value.exit_code == Exit.WRONG_USE


@pytest.mark.parametrize(
    "address", ["4566", "http://localhost:abc", "http://localhost:99999", "http://[::1", "http://"]
)
def test_an_endpoint_that_is_no_address_is_wrong_use(resolver, address):
    with pytest.raises(CommandError, match=f"AWS_ENDPOINT_URL={re.escape(address)} is no address") as fault:
        resolver({"AWS_ENDPOINT_URL": address}).resolve(Choice(), {})

    assert fault.value.exit_code == Exit.WRONG_USE


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """Writes a file of the AWS CLI whose default profile holds these lines, and what follows them."""

    def write(text):
        path = tmp_path / "config"
        path.write_text(f"[default]\nregion = us-east-1\n{text}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(path))

    return write


@pytest.mark.parametrize(
    "text",
    [
        "endpoint_url = http://127.0.0.1:48123",
        "endpoint_url = https://amazonaws.com.evil.example",
        "endpoint_url = nonsense",
        "services = mine\n[services mine]\ns3 =\n  endpoint_url = http://127.0.0.1:48123",
    ],
)
def test_a_profile_that_leads_elsewhere_is_not_taken_for_aws(resolver, aws, profile, text):
    profile(text)

    with pytest.raises(CommandError, match="of the AWS profile points elsewhere"):
        resolver(KEYS).resolve(Choice(aws=True), {})


@pytest.mark.parametrize(
    "address", ["https://vpce-1.sts.us-east-1.vpce.amazonaws.com", "https://sts.us-east-1.api.aws"]
)
def test_a_profile_may_name_addresses_of_aws(resolver, aws, profile, address):
    profile(f"services = mine\n[services mine]\ns3 =\n  endpoint_url = {address}")

    assert resolver(KEYS).resolve(Choice(aws=True), {}).is_aws


def test_a_profile_whose_addresses_are_ignored_is_aws(resolver, aws, profile):
    profile("endpoint_url = http://127.0.0.1:48123\nignore_configured_endpoint_urls = true")

    assert resolver(KEYS).resolve(Choice(aws=True), {}).is_aws


def credentials_of(session):
    found = session.get_credentials()
    return found and (found.access_key, found.secret_key, found.token)


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_the_env_file_is_read_in_both_spellings(tmp_path, aws, spelling):
    lines = ["AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=a$b=c#d", "AWS_SESSION_TOKEN=token//=="]
    names_and_values = (line.split("=", 1) for line in lines)
    text = "\n".join(f"{spelling(name)}={value}" for name, value in names_and_values)
    (tmp_path / ".env").write_text(text)

    session = aws_session({}, read_env_file(tmp_path / ".env"), None)

    assert credentials_of(session) == ("key", "a$b=c#d", "token//==")


def test_the_block_of_aws_academy_can_be_copied_whole(tmp_path, aws):
    block = "[default]\naws_access_key_id=ASIA1\naws_secret_access_key=a/b+c\naws_session_token=token//==\n"
    (tmp_path / ".env").write_text(block)

    assert credentials_of(aws_session({}, read_env_file(tmp_path / ".env"), None)) == ("ASIA1", "a/b+c", "token//==")


def test_the_region_of_the_env_file_counts(tmp_path, resolver, aws):
    (tmp_path / ".env").write_text(
        "aws_access_key_id=key\naws_secret_access_key=secret\naws_default_region=eu-central-1\n"
    )

    assert resolver({}).resolve(Choice(), {}).region == "eu-central-1"


def test_key_and_token_never_come_from_two_sources(aws):
    file = {"aws_access_key_id": "file", "aws_secret_access_key": "file", "aws_session_token": "file"}

    assert credentials_of(aws_session(KEYS, file, None)) == ("AKIAENVIRONMENT", "secret", None)
    assert credentials_of(aws_session({"AWS_SESSION_TOKEN": "environment"}, file, None)) == ("file", "file", "file")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"aws_access_key_id": "key"}, ".env has aws_access_key_id but no aws_secret_access_key"),
        ({"AWS_SECRET_ACCESS_KEY": "x"}, ".env has aws_secret_access_key but no aws_access_key_id"),
    ],
)
def test_half_a_pair_is_told(file, words):
    with pytest.raises(CommandError, match=words) as fault:
        aws_session({}, file, None)

    assert fault.value.exit_code == Exit.REFUSED


def test_a_copied_sample_without_values_counts_as_no_credentials(tmp_path, aws):
    (tmp_path / ".env").write_text("aws_access_key_id=\naws_secret_access_key=\naws_session_token=\n")

    assert credentials_of(aws_session({}, read_env_file(tmp_path / ".env"), None)) is None


LINES = "aws_access_key_id=key\naws_secret_access_key=the secret\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_env_file_of_any_editor_is_read(tmp_path, aws, encoding):
    (tmp_path / ".env").write_bytes(f"# été\n{LINES}".encode(encoding))

    assert credentials_of(aws_session({}, read_env_file(tmp_path / ".env"), None)) == ("key", "the secret", None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"# \xe9t\xe9\n" + LINES.encode(), "no text in UTF-8"),
        (bytes(range(256)), "no text in UTF-8"),
        (
            b'aws_access_key_id=key\naws_secret_access_key="the secret\r\nX-Header: 1"',
            "aws_secret_access_key of .*line",
        ),
        (b"aws_access_key_id=\x1b]0;key\x07\naws_secret_access_key=the secret", "aws_access_key_id of .*control"),
        (LINES.encode() + b'aws_session_token="a\nb"', "aws_session_token of .*line end"),
    ],
)
def test_an_env_file_that_holds_nonsense_is_told_without_its_secret(tmp_path, data, words):
    (tmp_path / ".env").write_bytes(data)

    with pytest.raises(CommandError, match=words) as fault:
        aws_session({}, read_env_file(tmp_path / ".env"), None)

    assert "the secret" not in fault.value.text and fault.value.text.isprintable()
