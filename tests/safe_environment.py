"""The environment of every test: no real credentials, no real endpoint, no file of the person who runs the tests.

It is put on the whole process before anything imports boto3, so that child processes inherit it too.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

#: Nothing listens there: a client that nobody pointed at a test's own server is refused at once.
CLOSED_PORT = 1
CLOSED_ENDPOINT = f"http://127.0.0.1:{CLOSED_PORT}"


def make_safe(environ: MutableMapping[str, str], folder: Path) -> None:
    """Change `environ` in place; `folder` is an empty one that takes the state and the AWS configuration files."""
    for name in list(environ):
        if name.upper().startswith("AWS_") or name.upper().endswith("_PROXY"):
            del environ[name]
    empty = folder / "empty"
    empty.touch()
    environ.update(
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ENDPOINT_URL=CLOSED_ENDPOINT,
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=str(empty),
        AWS_SHARED_CREDENTIALS_FILE=str(empty),
        IMAGE_PIPELINE_HOME=str(folder),
        LOCAL_CLOUD_PORT=str(CLOSED_PORT),
    )
