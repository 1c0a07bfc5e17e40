"""`python -m local_cloud start|stop|status|logs`"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cli.console import never_fail_to_print, printable_lines
from local_cloud import commands
from pipeline.settings import SettingsError

EXAMPLES = """
examples:
  python -m local_cloud start                        in the background, ready when the command returns
  LOCAL_CLOUD_PORT=4567 python -m local_cloud start  on another port; set it for all other commands too
  python -m local_cloud start --foreground           in this terminal, until Ctrl-C
  python -m local_cloud start --auth                 check signatures and policies like AWS (LOCAL_CLOUD_AUTH=true)
  python -m local_cloud status --json
  python -m local_cloud logs --follow                what happens now, with the log lines of the functions
  python -m local_cloud stop                         save everything and end

Exit codes: 0 done; 1 it could not be done, or status: not running; 2 wrong use.
"""


def main(arguments: list[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; the exit code."""
    never_fail_to_print()
    options = _parser().parse_args(arguments)
    try:
        return _run(options, commands.Context.from_options(options, environ))
    except SettingsError as error:
        return _fail(error, code=2)
    except commands.CommandError as error:
        return _fail(error, code=1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `logs | head`: nobody reads on
        return 0
    except OSError as error:
        text = f"{error.filename or 'the local cloud'}: {error.strerror or error}"
        return _fail(f"{text}. Make it accessible, or set IMAGE_PIPELINE_HOME to another folder", code=1)
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace, context: commands.Context) -> int:
    match options.command:
        case "start":
            commands.start(context, foreground=options.foreground)
        case "stop":
            commands.stop(context)
        case "status":
            return 0 if commands.status(context, as_json=options.json) else 1
        case "logs":
            commands.logs(context, lines=options.lines, following=options.follow)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_cloud",
        description="AWS on this machine: S3, SQS, Lambda, DynamoDB and more, for this project, without an account.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    described = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    start = described.add_parser("start", help="start it, if it is not running, and wait until ready")
    start.add_argument("--port", type=_port, help="port on 127.0.0.1 (default: LOCAL_CLOUD_PORT, or 4566)")
    start.add_argument("--foreground", action="store_true", help="stay in this terminal and log to it")
    start.add_argument("--auth", action="store_true", help="check signatures and policies as AWS does")
    described.add_parser("stop", help="save everything and end it")
    status = described.add_parser("status", help="say whether it runs, and where")
    status.add_argument("--json", action="store_true", help="as one JSON object")
    logs = described.add_parser("logs", help="print its log, which holds the functions' lines too")
    logs.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    logs.add_argument("-n", "--lines", type=_count, default=50, help="how many lines from the end (default: 50)")
    return parser


def _port(text: str) -> int:
    if text.isdecimal() and 0 < int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port: a whole number from 1 to 65535")


def _count(text: str) -> int:
    if text.isdecimal() and len(text) < 10:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines, below a thousand million")


def _fail(error: Exception | str, *, code: int) -> int:
    print(printable_lines(str(error)), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
