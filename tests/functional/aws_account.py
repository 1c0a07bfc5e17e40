"""An AWS account in memory (moto), what setup needs to work on it, and a tap on every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from boto3.session import Session
from moto import mock_aws

from cli.aws import Aws
from cli.state import Resources
from cli.targets import Target
from setup_scripts import retry
from setup_scripts.context import Context

ACCOUNT = "123456789012"
REGION = "us-east-1"
READING = ("Get", "List", "Head", "Describe", "BatchGet")

_MOTO: Any = {
    "batch": {"use_docker": False},
    "lambda": {"use_docker": False},
    "core": {"mock_credentials": False},
}
_policies: dict[str, Any] = {}


class Dead(BaseException):
    """What a test raises where a process would have been killed."""


class TappedAws(Aws):
    """`Aws` that notes each changing call and can die before or after one of them."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.changes: list[str] = []
        self.before: Callable[[int], None] = lambda number: None
        self.after: Callable[[int], None] = lambda number: None

    def _make(self, service: Any) -> Any:
        client = super()._make(service)
        client.meta.events.register("before-call", self._begin)
        client.meta.events.register("after-call", self._end)
        client.meta.events.register("before-parameter-build.batch.CreateComputeEnvironment", _add_service_role)
        return client

    def _begin(self, model: Any, params: Any, **_: Any) -> Any:
        answer = _answer(model.name, params)
        if not model.name.startswith(READING):
            self.changes.append(model.name)
            self.before(len(self.changes))
        return answer

    def _end(self, model: Any, **_: Any) -> None:
        if not model.name.startswith(READING):
            self.after(len(self.changes))


def _add_service_role(params: dict[str, Any], **_: Any) -> None:
    """AWS makes this role by itself where none is named; moto wants one, and wants it to exist."""
    iam = Session().client("iam")
    roles = iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]
    made = roles or [iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com")["Role"]]
    params["serviceRole"] = made[0]["Arn"]


def _answer(operation: str, request: Any) -> Any:
    """What is answered in moto's place; None leaves the call to moto.

    moto does not know GetAccountSettings, and it enforces bucket policies without looking at their conditions, so that
    a denial without TLS denies everything.
    """
    if operation == "GetAccountSettings":
        return _ok({"AccountLimit": {"UnreservedConcurrentExecutions": 100}})
    if operation == "PutBucketPolicy":
        _policies[request["url"]] = request["body"]
        return _ok({})
    if operation == "GetBucketPolicy" and request["url"] in _policies:
        return _ok({"Policy": _policies[request["url"]]})
    return None


def _ok(answer: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return SimpleNamespace(status_code=200), answer


@contextmanager
def aws_account(environ_without: Callable[..., None]) -> Iterator[None]:
    """An empty account; `environ_without` is monkeypatch.delenv: moto only answers for AWS's own addresses."""
    environ_without("AWS_ENDPOINT_URL", raising=False)
    _policies.clear()
    with mock_aws(config=_MOTO):
        yield


def target(name: str = "default", region: str = REGION) -> Target:
    session = Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=region)
    return Target(
        place=f"{ACCOUNT}/{region}", name=name, account=ACCOUNT, region=region, endpoint_url=None, session=session
    )


def context(
    home: Path, shelf: dict[str, Any], *, name: str = "default", region: str = REGION, **options: Any
) -> Context:
    """A context on the account, with a zip that is only as good as moto needs and nothing to wait for."""
    code = home / "function.zip"
    code.write_bytes(b"PK\x05\x06" + bytes(18))
    aws = TappedAws(target(name, region))
    return Context(
        aws=aws,
        resources=Resources(shelf, aws.target.prefix),
        home=home,
        say=lambda text: None,
        build=lambda runtime, home, say: code,
        until=partial(retry.until, sleep=lambda seconds: None),
        settled=partial(retry.settled, sleep=lambda seconds: None),
        **options,
    )


def changes(made: Context) -> list[str]:
    """The names of the changing calls that went through this context."""
    assert isinstance(made.aws, TappedAws)
    return made.aws.changes
