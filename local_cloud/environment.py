"""The environment of the server and so of every function: named variables only, not what the shell happens to hold.

Functions inherit it. On AWS they see no proxy, no profile and no token of the person who deployed them; here neither.
"""

from __future__ import annotations

from collections.abc import Mapping

from cli.local import HOST
from local_cloud.folder import Folder

#: What a process needs of its surroundings to run and to write text and times rightly.
KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT")

#: What the product uses; by sns and events, too, uploads may be announced. The rest of the emulator stays shut:
#: databases and brokers open ports of their own.
SERVICES = (
    "s3", "sqs", "sns", "events", "dynamodb", "dynamodbstreams", "lambda", "logs", "monitoring",
    "iam", "sts", "ssm", "tagging",
)  # fmt: skip


def server_environment(environ: Mapping[str, str], folder: Folder, *, port: int, auth: bool) -> dict[str, str]:
    """The whole environment for the server process; `auth` switches the checks of signatures and policies on."""
    kept = {name: environ[name] for name in KEPT if name in environ}
    return kept | _isolation(folder) | _emulator(folder, port=port, auth=auth)


def _isolation(folder: Folder) -> dict[str, str]:
    nothing = str(folder.path / "none")
    return {
        "HOME": str(folder.temporary),
        "TMPDIR": str(folder.temporary),
        "AWS_CONFIG_FILE": nothing,
        "AWS_SHARED_CREDENTIALS_FILE": nothing,
        "AWS_EC2_METADATA_DISABLED": "true",
        # With a real Docker the emulator would remove every container that carries its label, whoever made it.
        "DOCKER_HOST": f"unix://{nothing}.sock",
    }


def _emulator(folder: Folder, *, port: int, auth: bool) -> dict[str, str]:
    return {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "SERVICES": ",".join(SERVICES),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder.objects),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder.state),
        "AUTH": str(auth).lower(),
    }
