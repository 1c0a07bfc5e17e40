"""Where the collections are, and whom the scans let tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.settings import SettingsError

PRODUCTION, DEVELOP = "PRODUCTION", "DEVELOP"


@dataclass(frozen=True, kw_only=True)
class ScanSettings:
    """`mongo_url` names server and database. The rest goes into every message, which pipeline/image_service decodes."""

    mongo_url: str = field(repr=False)
    redirect_queue: str
    postback_url: str | None = None
    bucket_name: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, redirect_queue: str, bucket_name: str) -> ScanSettings:
        """`redirect_queue`, `bucket_name`: what counts where the environment says nothing."""
        return cls(
            mongo_url=mongo_url(environ),
            redirect_queue=environ.get("SCAN_REDIRECT_QUEUE", "").strip() or redirect_queue,
            postback_url=environ.get("SCAN_POSTBACK_URL", "").strip() or None,
            bucket_name=environ.get("SCAN_BUCKET_NAME", "").strip() or bucket_name,
        )


def mongo_url(environ: Mapping[str, str]) -> str:
    """MONGO_URL, else that of the database that DB_ENVIRONMENT names, else the one that ENVIRONMENT names."""
    told = environ.get("MONGO_URL", "").strip()
    if told:
        return told
    database = _environment(environ)
    name = f"MONGO_URL_{database}"
    found = environ.get(name, "").strip()
    if not found:
        raise SettingsError(
            f"neither MONGO_URL nor {name} is set: export MONGO_URL='mongodb+srv://<user>:<password>@<cluster>/<database>'"
        )
    return found


def _environment(environ: Mapping[str, str]) -> str:
    named = environ.get("DB_ENVIRONMENT", "").strip().upper()
    if not named:
        production = environ.get("ENVIRONMENT", "").strip().upper() == PRODUCTION
        return PRODUCTION if production else DEVELOP
    if named not in (PRODUCTION, DEVELOP):
        raise SettingsError(f"DB_ENVIRONMENT={named!r} is neither {PRODUCTION} nor {DEVELOP}")
    return named
