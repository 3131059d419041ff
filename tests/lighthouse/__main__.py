"""`make lighthouse`: the four scores that Lighthouse gives each page on a phone, on a demo farm of its own.

One page of every kind that a visitor and the subscriber reach by links. What is below 100 is asked twice more and
judged by the median; exits with 1 where that is below 100. The map is judged without its tiles, which come from another
site. Whether search engines may read a page (« is-crawlable ») is not asked of what the subscriber sees: they may not.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

from portal import create_app
from portal.demo.people import PASSPHRASE, SUBSCRIBER
from portal.settings import ROOT, Settings
from tests.benchmarks.server import reserve_port
from tests.service.people import NOBODY, Person
from tests.service.processes import GRANIAN, HOST, Process

SCORES = ("performance", "accessibility", "practices", "SEO")
BEGINNINGS = {None: ("/",), SUBSCRIBER.email: ("/espace", "/planning?semaines=52", "/paiements")}
LINK = re.compile(r'<a\b[^>]*\bhref="(/[^"#]*)')


def main() -> int:
    wanted = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
    print(*(f"{score:>13}" for score in SCORES), flush=True)
    missed = 0
    with ExitStack() as stack:
        port, settings = farm(stack)
        judge = judges(stack)
        for email, beginnings in BEGINNINGS.items():
            person = Person(port)
            stack.callback(person.leave)
            if email:
                person.post("/connexion", email=email, password=PASSPHRASE)
            for path in filter(wanted.search, pages(person, beginnings, settings)):
                asked = {
                    "url": settings.base_url + path,
                    "headers": {"Cookie": person.cookie} if email else {},
                    "skip": ["is-crawlable"] if email else [],
                }
                print(json.dumps(asked), file=judge.stdin, flush=True)
                answer = json.loads(judge.stdout.readline())
                print(*(f"{n:>13}" for n in answer["scores"]), path, *answer["faults"], flush=True)
                missed += min(answer["scores"]) < 100
    return min(missed, 1)


def farm(stack: ExitStack) -> tuple[int, Settings]:
    """The demo farm in a database that is gone afterwards."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    port = reserve_port(stack)
    environment = os.environ | {
        "PORTAL_MODE": "demo",
        "PORTAL_BASE_URL": f"http://{HOST}:{port}",
        "PORTAL_MAP_TILES": "",
        "DATABASE_URL": f"sqlite:///{folder}/farm.sqlite3",
    }
    scripts = Path(sys.executable).parent
    for act in ("upgrade", "demo"):
        subprocess.run([scripts / "flask", "--app", "wsgi", act], cwd=ROOT, env=environment, check=True)
    command = [scripts / GRANIAN[0], *GRANIAN[1:], "--port", port, "wsgi:app"]
    web = Process(command, environment, folder / "web.log")
    stack.callback(web.kill)
    while Person(port).get("/sante").status == NOBODY:
        assert web.alive, web.log.read_text()
        time.sleep(0.1)
    return port, Settings.from_environment(environment)


def judges(stack: ExitStack) -> subprocess.Popen[str]:
    """Lighthouse, until it is asked nothing more."""
    judge = subprocess.Popen(
        ["node", "audit.mjs"],
        cwd=Path(__file__).parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return stack.enter_context(judge)


def pages(person: Person, beginnings: tuple[str, ...], settings: Settings) -> Iterator[str]:
    """Those where one begins, and the first of each kind that links lead to."""
    routes = create_app(settings).url_map.bind(HOST)
    ahead = deque(beginnings)
    known = set[str]()
    while ahead:
        path = ahead.popleft()
        kind = path if path in beginnings else routes.match(urlsplit(path).path)[0]
        if kind not in known:
            answer = person.get(path)
            if answer.status == 200 and "<!doctype html>" in answer.text[:200]:
                known.add(kind)
                ahead.extend(map(unescape, LINK.findall(answer.text)))
                yield path


if __name__ == "__main__":
    sys.exit(main())
