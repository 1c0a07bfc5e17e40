"""A network of its own in which every address of the internet is this machine, and every connection is seen.

Run it inside of a network namespace (`enter` says how): it reads URLs from stdin and tells, as JSON on stdout, what
became of each and which addresses were reached. What listens is canary and origin at once: at `hostile_urls.PUBLIC` it
redirects where the path says, everywhere else it answers with an image's first bytes.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pipeline.errors import PipelineError, RejectError
from pipeline.web.guard import Guard
from pipeline.web.notifications import Postbacks
from pipeline.web.outbound import Outbound
from pipeline.web.signing import SigningSecret, new_secret
from pipeline.web.sources import Fetcher
from tests.hostile_urls import PORTS, PUBLIC

ROOT = Path(__file__).resolve().parents[1]
#: What names say, one look-up after the other; the last answer stays.
NAMES: dict[str, list[list[str]]] = {
    "metadata.test": [["169.254.169.254"]],
    "mixed4.test": [[PUBLIC, "169.254.170.2"]],
    "mixed6.test": [["2606:4700::1111", PUBLIC, "::1"]],
    "localhost": [["::1", "127.0.0.1"]],
    "localhost.": [["127.0.0.1"]],
    "public.test": [["2606:4700::1111", PUBLIC]],
    "rebinding.test": [[PUBLIC], ["127.0.0.1"]],
    "rebinding-back.test": [["127.0.0.1"], [PUBLIC]],
}
_READY = "ip link set lo up && ip route add local default dev lo && ip -6 route add local default dev lo"


def enter() -> list[str]:
    """The command that runs this program in a namespace of its own, without rights if need be."""
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    return [*unshare, "sh", "-c", f'{_READY} && exec "$0" -m tests.canary_room', sys.executable]


def ask(urls: list[str], *, verb: str = "fetch", allowed: tuple[str, ...] = ()) -> dict[str, Any]:
    """Enter the room, do `verb` with every URL, and come back with what was seen."""
    question = json.dumps({"urls": urls, "verb": verb, "allowed": allowed})
    ended = subprocess.run(enter(), input=question, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


class Resolver:
    """Answers from NAMES, and leaves spelled addresses to the system; everything else is unknown."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __call__(self, host: str, port: int) -> list[str]:
        answers = NAMES.get(host)
        if answers:
            self.asked[host] += 1
            return answers[min(self.asked[host], len(answers)) - 1]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [str(address[0]) for *_, address in found]


class Canaries:
    """Listens on every address at the ports of the web and of services; `reached` says who came where."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self._selector = selectors.DefaultSelector()
        for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            for port in (80, 443, *PORTS):
                listener = socket.socket(family)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind((host, port))
                listener.listen(256)
                self._selector.register(listener, selectors.EVENT_READ)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            for key, _ in self._selector.select():
                connection, _ = key.fileobj.accept()  # type: ignore[union-attr]
                address = connection.getsockname()[0]
                self.reached.append(address)
                threading.Thread(target=self._answer, args=(connection, address), daemon=True).start()

    def _answer(self, connection: socket.socket, address: str) -> None:
        with connection, connection.makefile("rb") as reader:
            path = reader.readline().split(b" ")[1:2]
            while reader.readline().strip():
                pass
            answer = _redirect(path[0].decode()) if address == PUBLIC and path else None
            connection.sendall(answer or b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n\x89PNG")


def _redirect(path: str) -> bytes | None:
    parts = path.split("/")
    if parts[1:2] != ["redirect"]:
        return None
    code, depth, target = parts[2], int(parts[3]), parts[4]
    location = f"/redirect/{code}/{depth - 1}/{target}" if depth > 1 else unquote(target)
    return f"HTTP/1.1 {code} Go\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def main() -> None:
    question = json.load(sys.stdin)
    canaries, resolver = Canaries(), Resolver()
    guard = Guard(networks=[ip_network(text) for text in question["allowed"]], resolve=resolver)
    act = _verb(question["verb"], Outbound(guard))
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda url: _outcome(act, url), question["urls"]))
    print(json.dumps({"outcomes": outcomes, "reached": canaries.reached, "asked": resolver.asked}))


def _verb(verb: str, outbound: Outbound) -> Callable[[str], object]:
    if verb == "fetch":
        return Fetcher(outbound, deadline=10).fetch
    postbacks = Postbacks(outbound, signers=[SigningSecret(new_secret())])
    return lambda url: postbacks.send(url, {}, "an id")


def _outcome(act: Callable[[str], object], url: str) -> str:
    try:
        act(url)
    except RejectError as error:
        return error.code
    except PipelineError as error:
        return str(error)
    return "reached"


if __name__ == "__main__":
    main()
