"""A person's AWS credentials lie in the environment and in .env while all is done locally: nothing writes them."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import urllib.request
import zipfile
from base64 import b64encode

import pytest

from tests.canaries import CANARIES, below, found_in
from tests.deployed import write_pictures
from tests.images import SECRETS, exif, jpeg, photo, png, truncated
from tests.local_cloud_fixture import ROOT, LocalCloud, free_port

#: The place of a home that nobody may make.
NO_HOME = "nobody"
ASCII_ONLY = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
#: What cameras and programs write into pictures.
PRIVATE = {kind: secret.decode() for kind, secret in SECRETS.items()}

pytestmark = pytest.mark.local_cloud


class Laptop(LocalCloud):
    """A laptop whose owner uses AWS as well, in the poorest of shells: only ASCII, and a home that is not there."""

    @property
    def environ(self) -> dict[str, str]:
        inherited = {name: value for name, value in super().environ.items() if not name.startswith("AWS_ENDPOINT_URL")}
        return inherited | CANARIES | ASCII_ONLY | {"HOME": str(self.home / NO_HOME)}

    def run(self, *arguments: str) -> bytes:
        """What a command of ours printed, story and result, whether it succeeded or not."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environ, capture_output=True, timeout=180
        )
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def laptop(tmp_path_factory):
    laptop = Laptop(free_port(), tmp_path_factory.mktemp("laptop"))
    lines = (f"{name.lower()}={value}" for name, value in CANARIES.items())
    (laptop.home / ".env").write_text("\n".join(lines))
    try:
        laptop.start()
        yield laptop
    finally:
        laptop.stop()


def test_no_file_no_record_no_log_and_no_answer_holds_the_credentials(laptop, tmp_path):
    good = jpeg(photo(), private=True, exif=exif(private=True))
    folder = write_pictures(tmp_path, {"good.jpg": good, "cut.jpg": truncated(good), "good.png": png(private=True)})
    commands = [
        ["setup.py", "--local", "--dry-run"],
        ["setup.py", "--local"],
        ["upload_folder_images.py", "--local", str(folder)],
        ["query.py", "--local", 'SELECT * FROM "ImageMetadata"', "--json"],
        ["status.py", "--local", "--failed"],
        ["show_shelve.py", "--json"],
        ["-m", "local_cloud", "logs", "--lines", "100000"],
        ["teardown.py", "--local", "--dry-run"],
        # Wrong on purpose: errors are written, too.
        ["query.py", "--local", "SELECT nonsense"],
        ["setup.py", "--local", "--region", "eu-west-1"],
    ]

    told = {" ".join(command): laptop.run(*command) for command in commands}

    assert b"good.jpg" in told['query.py --local SELECT * FROM "ImageMetadata" --json']
    answers = served(laptop)
    assert b"1 images failed" in told["status.py --local --failed"]
    uploads = json.loads(laptop.run("show_shelve.py", "--json"))["local/default/images-bucket"]
    laptop.stop()
    written = below(laptop.home, but=(".env",))
    kinds = ("aws_resources.db", "server.log", ".zip", "index.html")
    assert [kind for kind in kinds if not any(kind in name for name in written)] == []
    assert not (laptop.home / NO_HOME).exists()
    assert found_in(told | answers | written) == []
    # What is private in a picture stays in the bucket of the originals, which is private, too.
    originals = [name for name in written if uploads in name]
    assert {name for text in found_in(written, PRIVATE) for name in originals if text.startswith(name)}
    assert found_in(told | answers | {name: written[name] for name in written.keys() - set(originals)}, PRIVATE) == []


def served(laptop: Laptop) -> dict[str, bytes]:
    """What the functions are configured with, and what everybody can read."""
    resources = json.loads(laptop.run("show_shelve.py", "--json"))
    configured = laptop.client("lambda").list_functions()["Functions"]
    answers = {"functions": json.dumps(configured, default=str).encode()}
    for key in ("gallery-api-url", "website-url"):
        address = resources[f"local/default/{key}"] + ("images" if key == "gallery-api-url" else "")
        with urllib.request.urlopen(address, timeout=30) as answer:
            answers[address] = answer.read() + str(answer.headers).encode()
    return answers


def test_wherever_a_credential_is_hidden_it_is_found():
    secret = CANARIES["AWS_SECRET_ACCESS_KEY"].encode()
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("settings.json", secret)
    hidden = {
        "plain": b"x" + secret,
        "json": secret.replace(b"/", rb"\/"),
        "base64": b64encode(b"ab" + secret + b"c"),
        "gzip": gzip.compress(secret),
        "zip": zipped.getvalue(),
    }

    assert {place.split(" ")[0].split(":")[0].split("!")[0] for place in found_in(hidden)} == hidden.keys()
