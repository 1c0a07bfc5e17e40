"""What every step is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cli import names
from cli.aws import Aws
from cli.connection import Connection
from cli.state import Resources
from setup_scripts import package, retry


@dataclass(frozen=True, kw_only=True)
class Context:
    """`build` is `package`'s; `until` and `settled` are `retry`'s: a dry run changes nothing and waits for nothing.

    `architecture` of the functions on AWS, one of `package.ARCHITECTURES`; None leaves what stands.
    """

    aws: Aws
    resources: Resources
    home: Path
    say: Callable[[str], None]
    today: date = field(default_factory=date.today)
    keep_originals: bool = False
    architecture: str | None = None
    build: Callable[..., Path] = package.build
    until: Callable[..., Any] = retry.until
    settled: Callable[..., Any] = retry.settled

    @classmethod
    def of(cls, connection: Connection, say: Callable[[str], None], **options: Any) -> Context:
        return cls(aws=connection.aws, resources=connection.resources, home=connection.home, say=say, **options)

    @property
    def name(self) -> str:
        return self.aws.target.name

    @property
    def tags(self) -> dict[str, str]:
        return {names.TAG: self.name}

    def suffixed(self, base: str) -> str:
        return names.suffixed(base, self.name)

    def unique_name(self, key: str, prefix: str) -> str:
        """The name kept under `key`. A new one is kept before anything is made of it: a setup that dies continues.

        Two first setups at once are given the same name.
        """
        return self.resources.setdefault(key, names.unique(prefix, self.today))

    def bucket_url(self, bucket: str) -> str:
        """The address under which the objects of `bucket` are read, without a trailing slash."""
        target = self.aws.target
        if target.endpoint_url:
            return f"{target.endpoint_url}/{bucket}"
        return f"https://{bucket}.s3.{target.region}.amazonaws.com"
