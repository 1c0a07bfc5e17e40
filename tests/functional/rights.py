"""Which rights IAM asks for a call, and whether a policy gives them: what the policies are measured by.

Source: the Service Authorization Reference, "Actions, resources, and condition keys" of each service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

Right = tuple[str, str]
Request = Mapping[str, Any]


@dataclass(frozen=True)
class Account:
    """What turns the names in requests into ARNs."""

    region: str
    account: str

    def table(self, name: str, index: str | None = None) -> str:
        table = f"arn:aws:dynamodb:{self.region}:{self.account}:table/{name}"
        return f"{table}/index/{index}" if index else table

    def queue(self, url: str) -> str:
        return f"arn:aws:sqs:{self.region}:{self.account}:{url.rsplit('/', 1)[1]}"


def _object(bucket: str, key: str) -> str:
    return f"arn:aws:s3:::{bucket}/{key}"


def _read_object(request: Request, _: Account) -> Iterator[Right]:
    yield "s3:GetObject", _object(request["Bucket"], request["Key"])
    # Not asked for: but without it a missing object answers 403, which we must not take for "gone".
    yield "s3:ListBucket", f"arn:aws:s3:::{request['Bucket']}"


def _transaction(request: Request, account: Account) -> Iterator[Right]:
    for action in request["TransactItems"]:
        ((kind, item),) = action.items()
        yield f"dynamodb:{kind}Item", account.table(item["TableName"])


def _on_table(action: str) -> Callable[[Request, Account], Iterator[Right]]:
    def rights(request: Request, account: Account) -> Iterator[Right]:
        yield f"dynamodb:{action}", account.table(request["TableName"], request.get("IndexName"))

    return rights


#: Operation of boto3 → the rights it needs. An operation that is missing here fails the test that meets it.
RIGHTS: dict[str, Callable[[Request, Account], Iterable[Right]]] = {
    "GetObject": _read_object,
    "HeadObject": _read_object,
    "PutObject": lambda r, _: [("s3:PutObject", _object(r["Bucket"], r["Key"]))],
    "DeleteObjects": lambda r, _: [
        ("s3:DeleteObject", _object(r["Bucket"], one["Key"])) for one in r["Delete"]["Objects"]
    ],
    "DeleteObject": lambda r, _: [("s3:DeleteObject", _object(r["Bucket"], r["Key"]))],
    "ListObjectsV2": lambda r, _: [("s3:ListBucket", f"arn:aws:s3:::{r['Bucket']}")],
    "GetItem": _on_table("GetItem"),
    "UpdateItem": _on_table("UpdateItem"),
    "DeleteItem": _on_table("DeleteItem"),
    "Query": _on_table("Query"),
    "BatchGetItem": lambda r, account: [("dynamodb:BatchGetItem", account.table(name)) for name in r["RequestItems"]],
    "TransactWriteItems": _transaction,
    "SendMessage": lambda r, account: [("sqs:SendMessage", account.queue(r["QueueUrl"]))],
    "ListQueues": lambda r, account: [("sqs:ListQueues", "*")],
    "GetParameter": lambda r, account: [
        ("ssm:GetParameter", f"arn:aws:ssm:{account.region}:{account.account}:parameter{r['Name']}")
    ],
    "ChangeMessageVisibility": lambda r, account: [("sqs:ChangeMessageVisibility", account.queue(r["QueueUrl"]))],
}


def missing(policy: Mapping[str, Any], needed: Iterable[Right]) -> set[Right]:
    """What is needed and no statement of `policy` allows."""
    granted = list(_granted(policy))
    return {right for right in needed if not any(_covers(grant, right) for grant in granted)}


def superfluous(policy: Mapping[str, Any], needed: Iterable[Right]) -> set[Right]:
    """What `policy` allows and nothing needs: actions with one of the resources that they are allowed on."""
    wanted = set(needed)
    return {grant for grant in _granted(policy) if not any(_covers(grant, right) for right in wanted)}


def _granted(policy: Mapping[str, Any]) -> Iterator[Right]:
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            yield from ((action, resource) for resource in statement["Resource"])


def _covers(grant: Right, right: Right) -> bool:
    return grant[0] == right[0] and fnmatchcase(right[1], grant[1])
