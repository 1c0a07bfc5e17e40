"""`python -m tests.torture.soak`: all flows together for as long as you like; its figures go to docs/results/."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.network_guard import block_network
from tests.safe_environment import make_safe

EXAMPLES = """
examples:
  make soak MINUTES=60
  python -m tests.torture.soak --minutes 10 --seed 3
  python -m tests.torture.soak --minutes 10 --kill-cloud    the local cloud is killed, not asked to stop

Exit codes: 0 nothing lost, nothing left over, nothing grew; 1 something was, and the result file says what.
"""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    # A folder that cannot be made shall not be found out after an hour.
    options.results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        make_safe(os.environ, folder)
        block_network()
        # Who starts this in the background has Ctrl-C switched off, and all that it starts would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Only now: it imports boto3, which reads the environment.
        from tests.torture.results import commit
        from tests.torture.soak.run import soak

        started_at = commit()
        soaked = soak(folder, options.minutes * 60, seed=options.seed, kills_cloud=options.kill_cloud)
    now = datetime.now(UTC)
    path = options.results / f"soak-{now:%Y-%m-%d}{'-killed' * options.kill_cloud}.json"
    run = {"finished": f"{now:%Y-%m-%dT%H:%M:%SZ}", "commit": started_at, "python": platform.python_version()}
    document = {
        **run,
        "processors": os.cpu_count(),
        **soaked.figures,
        "wrongs": [in_short(wrong) for wrong in soaked.wrongs],
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".svg").write_text(soaked.plot, encoding="utf-8")
    print("\n".join(soaked.wrongs), file=sys.stderr)
    print(path)
    return 1 if soaked.wrongs else 0


def in_short(wrong: str) -> str:
    """Of a trace, whose it is and what it ends in: the rest is for whoever runs this, with the folders of a machine."""
    lines = wrong.strip().splitlines()
    return lines[0] if len(lines) == 1 else f"{lines[0]} … {lines[-1]}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture.soak",
        description="Lets all flows run together while programs die, calls fail, a disk is full and AWS stops.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--minutes", type=float, default=60, help="how long the trouble lasts (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="what the trouble is drawn from (default: 1)")
    parser.add_argument("--kill-cloud", action="store_true", help="kill -9 the local cloud instead of stopping it")
    parser.add_argument("--results", type=Path, default=Path("docs/results"), help="default: docs/results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
