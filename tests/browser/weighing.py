"""What pages weigh on the way to the phone, heads included."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

KILOBYTE = 1024
FIRST, MAP, LATER = 90 * KILOBYTE, 200 * KILOBYTE, 15 * KILOBYTE
"""What a visit may take: the first one, that of a map without its tiles, a later one."""
REQUESTS = 10


@dataclass
class Visit:
    """What one page asked for, and what of it came by the line."""

    weights: dict[str, int]
    held: frozenset[str] = frozenset()
    asked: set[str] = field(default_factory=set)
    came: set[str] = field(default_factory=set)

    @property
    def files(self) -> set[str]:
        """All but what never comes: the map's tiles, which are another site's."""
        return self.asked & self.weights.keys()

    @property
    def first(self) -> int:
        """Where the browser holds nothing yet."""
        return sum(self.weights[url] for url in self.files)

    @property
    def later(self) -> int:
        """Where it holds what never changes."""
        return sum(self.weights[url] for url in self.came if not _lasting(url))

    def faults(self) -> list[str]:
        most = MAP if any("/leaflet.js" in url for url in self.files) else FIRST
        said = (
            (self.first > most, f"{self.first} bytes at first"),
            (len(self.files) > REQUESTS, f"{len(self.files)} requests at first"),
            (self.later > LATER, f"{self.later} bytes later of {self.came}"),
        )
        again = [f"{url} again" for url in self.came & self.held if _lasting(url)]
        return [words for wrong, words in said if wrong] + again


class Scales:
    """They stand below one window: what its cache holds already is as heavy as it was when it came."""

    def __init__(self, page: Page) -> None:
        self._weights: dict[str, int] = {}
        self._urls: dict[str, str] = {}
        self._visit = Visit(self._weights)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.on("Network.requestWillBeSent", self._ask)
        devtools.on("Network.loadingFinished", self._take)

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        self._visit = visit = Visit(self._weights, held=frozenset(self._weights))
        yield visit
        visit.weights = self._weights.copy()  # the same address may answer otherwise later
        self._visit = Visit(self._weights)

    def _ask(self, event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        self._urls[event["requestId"]] = url
        self._visit.asked.add(url)

    def _take(self, event: dict[str, Any]) -> None:
        if size := int(event["encodedDataLength"]):  # nothing: it was in the cache
            url = self._urls[event["requestId"]]
            self._weights[url] = size
            self._visit.came.add(url)


def _lasting(url: str) -> bool:
    """Whether the address names these very bytes."""
    return "/static/" in url or "/photos/" in url
