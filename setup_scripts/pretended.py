"""What a dry run has pretended to make, and what AWS would say of it.

Only what the steps ask right after they have made something is known here; of all else AWS itself says what there is.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cli.targets import Target

#: For what only AWS can choose: ids, addresses, versions.
LATER = "known-after-setup"
#: What each service says of something that it does not have.
_ABSENT = {
    "s3": "NoSuchBucket",
    "sqs": "AWS.SimpleQueueService.NonExistentQueue",
    "iam": "NoSuchEntity",
    "cloudfront": "NoSuchResource",
}
#: What S3 says of a bucket on which nothing was set yet.
_UNSET = {
    "GetBucketTagging": "NoSuchTagSet",
    "GetPublicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
    "GetBucketLifecycleConfiguration": "NoSuchLifecycleConfiguration",
    "GetBucketPolicy": "NoSuchBucketPolicy",
    "GetBucketWebsite": "NoSuchWebsiteConfiguration",
    "HeadObject": "404",
}

#: What is read again after it was put → how it is read, and what names it; both have the same content.
_PUT = {
    "PutPublicAccessBlock": ("GetPublicAccessBlock", "Bucket"),
    "PutBucketPolicy": ("GetBucketPolicy", "Bucket"),
    "CreateAlias": ("GetAlias", "FunctionName"),
    "UpdateAlias": ("GetAlias", "FunctionName"),
}

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """As much of an answer as is looked at: HTTP's status, and the content in the words of the API."""

    content: Mapping[str, Any]
    status: int = 200

    @classmethod
    def absent(cls, code: str) -> Answer:
        return cls({"Error": {"Code": code, "Message": "a dry run has not made it"}}, 404)


class Pretended:
    """The things that a dry run has made, each known by the parameter and the value that later requests name it by."""

    def __init__(self, target: Target, *, empty: bool) -> None:
        self._target = target
        self._empty = empty
        self._made: dict[tuple[str, str], Request] = {}
        self._put: dict[tuple[str, str], Request] = {}
        self._updated: dict[str, dict[str, Any]] = {}
        self._distributions: list[dict[str, Any]] = []

    def change(self, model: Any, request: Request) -> Answer:
        """The answer to a call that would change something; remembers what it would make."""
        creating: dict[str, Callable[[Request], Mapping[str, Any]]] = {
            "CreateBucket": lambda r: self._remember(r, Bucket=r["Bucket"]),
            "CreateQueue": self._create_queue,
            "CreateTable": self._create_table,
            "CreateFunction": self._create_function,
            "CreateEventSourceMapping": self._create_trigger,
            "CreateDistributionWithTags": self._create_distribution,
        }
        if model.name in _PUT:
            reading, naming = _PUT[model.name]
            self._put[reading, request[naming]] = request
        if model.name in ("UpdateFunctionCode", "UpdateFunctionConfiguration"):
            self._updated.setdefault(request["FunctionName"], {}).update(_as_described(request))
        known = creating[model.name](request) if model.name in creating else {}
        return Answer({**_outline(model.output_shape, request, LATER), **known})

    def read(self, model: Any, request: Request) -> Answer | None:
        """The answer of AWS about something made here, or about a cloud that is empty; None: AWS is to say it."""
        named = _named_in(request)
        for _, value in named:
            if (model.name, value) in self._put:
                return Answer(self._put[model.name, value])
        if model.name == "GetDistribution" and request["Id"] == LATER:
            return Answer({"Distribution": {"Id": LATER, "Status": "Deployed"}, "ETag": LATER})
        # A version or an alias of a function is something else than the function.
        made = None if "Qualifier" in request else next((self._made[one] for one in named if one in self._made), None)
        if made is not None and model.name in _UNSET:
            return Answer.absent(_UNSET[model.name])
        if made is not None and model.name in _DESCRIBED:
            return Answer(_DESCRIBED[model.name](made))
        if not self._empty:
            return None
        if model.name.startswith("List") or model.name in ("GetResources", "DescribeLogGroups", "DescribeAlarms"):
            return Answer(_outline(model.output_shape, request, None))
        return Answer.absent(_ABSENT.get(model.service_model.service_name, "ResourceNotFoundException"))

    def amend(self, operation: str, request: Request, answer: dict[str, Any]) -> None:
        """Put what was made or changed here into an answer of AWS that knows nothing of it."""
        if operation == "ListDistributions":
            listed = answer["DistributionList"]
            listed["Items"] = [*listed.get("Items", []), *self._distributions]
        if operation == "GetFunctionConfiguration" and "Qualifier" not in request:
            # One that AWS could not change before would be right after this change.
            if updated := self._updated.get(request["FunctionName"]):
                answer.update(updated, State="Active", LastUpdateStatus="Successful")

    def _remember(self, request: Request, /, **names: str) -> dict[str, Any]:
        self._made |= {pair: request for pair in names.items()}
        return {}

    def _create_queue(self, request: Request) -> dict[str, Any]:
        url = f"{self._endpoint('sqs')}/{self._target.account}/{request['QueueName']}"
        arn = self._arn("sqs", request["QueueName"])
        self._remember({**request, "Attributes": {**request["Attributes"], "QueueArn": arn}}, QueueUrl=url)
        return {"QueueUrl": url}

    def _create_table(self, request: Request) -> dict[str, Any]:
        arn = self._arn("dynamodb", f"table/{request['TableName']}")
        described = {**request, "TableStatus": "ACTIVE", "TableArn": arn, "LatestStreamArn": f"{arn}/stream/{LATER}"}
        return self._remember(described, TableName=request["TableName"], ResourceArn=arn)

    def _create_function(self, request: Request) -> dict[str, Any]:
        arn = self._arn("lambda", f"function:{request['FunctionName']}")
        described = {**_as_described({**request, **request["Code"]}), "FunctionArn": arn}
        return self._remember(described, FunctionName=request["FunctionName"], Resource=arn)

    def _create_trigger(self, request: Request) -> dict[str, Any]:
        uuid = str(UUID(int=len(self._made)))
        self._remember({**request, "UUID": uuid}, UUID=uuid)
        return {"UUID": uuid}

    def _create_distribution(self, request: Request) -> dict[str, Any]:
        arn = f"arn:aws:cloudfront::{self._target.account}:distribution/{LATER}"
        config = request["DistributionConfigWithTags"]["DistributionConfig"]
        self._distributions.append({**config, "Id": LATER, "ARN": arn, "DomainName": LATER})
        return {}

    def _endpoint(self, service: str) -> str:
        return self._target.endpoint_url or f"https://{service}.{self._target.region}.amazonaws.com"

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self._target.region}:{self._target.account}:{resource}"


#: What AWS says of something that was made by this request.
_DESCRIBED: dict[str, Callable[[Request], Mapping[str, Any]]] = {
    "HeadBucket": lambda made: {},
    "GetBucketVersioning": lambda made: {},
    "GetBucketNotificationConfiguration": lambda made: {},
    "GetQueueAttributes": lambda made: {"Attributes": made["Attributes"]},
    "ListQueueTags": lambda made: {"Tags": made["tags"]},
    "DescribeTable": lambda made: {"Table": made},
    "ListTagsOfResource": lambda made: {"Tags": made["Tags"]},
    "DescribeTimeToLive": lambda made: {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
    "GetFunctionConfiguration": lambda made: {**made, "State": "Active", "LastUpdateStatus": "Successful"},
    "ListTags": lambda made: {"Tags": made["Tags"]},
    "ListVersionsByFunction": lambda made: {"Versions": []},
    "GetEventSourceMapping": lambda made: {**made, "State": "Enabled"},
}


def _as_described(request: Request) -> dict[str, Any]:
    """What a request says of a function, as AWS says it: the code by its hash."""
    said = {name: value for name, value in request.items() if name not in ("Code", "ZipFile")}
    if "ZipFile" in request:
        said["CodeSha256"] = b64encode(hashlib.sha256(request["ZipFile"]).digest()).decode()
    return said


def _named_in(request: Request) -> list[tuple[str, str]]:
    return [(parameter, value) for parameter, value in request.items() if isinstance(value, str)]


def _outline(shape: Any, request: Request, text: str | None) -> dict[str, Any]:
    """An answer of this shape: what the request says is repeated, other texts are `text`, lists are empty."""
    if shape is None:
        return {}
    members = ((name, _member(name, member, request, text)) for name, member in shape.members.items())
    return {name: value for name, value in members if value is not None}


def _member(name: str, shape: Any, request: Request, text: str | None) -> Any:
    if name in request:
        return request[name]
    if shape.type_name == "structure":
        return None if text is None and not shape.members else _outline(shape, {}, text)
    if shape.type_name in ("list", "map"):
        return [] if shape.type_name == "list" else {}
    return text if shape.type_name == "string" else None
