"""`make bench`: how fast the portal answers on farms of some sizes and both databases, beside a bare Flask page.

The bare page (bare.py) reads as many rows in as many queries and sends as many bytes under the same server. All take
short turns, again and again, so that whatever else the machine does meets all alike: speeds are medians over the
turns, ratios are medians over turns that follow each other; 0.50 of something is half as fast, or twice the CPU.
CPU is the server's own and, apart, that of PostgreSQL's processes which serve it. Nothing is compressed.

Growth is judged by CPU: a subscriber's page is to take no more on the largest farm than on the first, « kept » says
how much of that it keeps; a page of the farm no more for what it shows: its rows or its bytes, whichever grow
more, and where it says how many there are in all, the farm.

The usual sizes take about ten minutes; with 100000 subscribers it is half an hour, and few rounds do. Exits with 1
where a goal is missed.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import median

from tests import databases
from tests.benchmarks.server import Speed
from tests.benchmarks.site import ADD, COUNTING, LIST, LIST_FILE, MEMBER_PAGES, ORDER, SKIP, Page, Site

COLUMNS = (
    *("page", "database", "farm", "queries", "rows", "bytes"),
    *("answers/s", "web ms", "PG ms", "bare: /s", "ms", "of bare", "kept", "for shown"),
)
WIDTHS = (10, 7, 7, 7, 9, 9, 8, 8, 8, 7, 7, 7, 9)
FLAT = 0.9
"""What is kept of a page's speed on the first farm where it stays within a tenth."""
BOXES, INVOICES = 3000, 10_000 / 300
"""On the list that the goal is about; a second."""
LONG = 5
"""So many times its turn, and a page has taken enough of them."""


def main() -> int:
    chosen = arguments()
    logging.disable()
    with ExitStack() as stack:
        sites = [Site(backend, number, stack) for backend in chosen.backend for number in chosen.subscribers]
        asked = [site.pages() for site in sites]
        pages = {
            name: [Page(site, visits[name]) for site, visits in zip(sites, asked, strict=True)]
            for name in asked[0]
        }
        for number in range(chosen.rounds):
            for same in pages.values():
                for page in same[:: 1 if number % 2 else -1]:
                    if page.took <= LONG * chosen.seconds * chosen.rounds:
                        page.take_turn(chosen.seconds)
        acts = {
            "an invoice of the run": _turns(sites, Site.bill_some, chosen.rounds),
            "a box of the freeze": _turns(sites, Site.freeze_next, chosen.rounds),
        }
    print_table(pages)
    print_acts(sites, acts)
    return print_goals(pages, acts, sites)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--subscribers", nargs="+", type=int, default=[200, 10_000], help="of each farm, the smallest first")
    add("--backend", nargs="+", choices=databases.BACKENDS, default=databases.BACKENDS)
    add("--rounds", type=int, default=10)
    add("--seconds", type=float, default=0.2, help="how long a turn takes")
    return parser.parse_args()


Turns = list[list[tuple[int, Speed]]]
"""Of each site how many were done and how fast, turn by turn."""


def _turns(sites: list[Site], act: Callable[[Site], tuple[int, Speed]], rounds: int) -> Turns:
    turns = [[act(site) for site in sites] for _ in range(rounds)]
    return [list(of_site) for of_site in zip(*turns, strict=True)]


def print_table(pages: dict[str, list[Page]]) -> None:
    print_line(COLUMNS)
    for name, same in pages.items():
        for page in same:
            ratios = of_bare(page), kept(page, same), for_shown(page, same, name in COUNTING)
            print_line([name, *about(page), *words(*ratios)])


def print_acts(sites: list[Site], acts: dict[str, Turns]) -> None:
    print()
    for name, each in acts.items():
        for site, turns in zip(sites, each, strict=True):
            rate, web, database = (median(numbers) for numbers in zip(*(s for _, s in turns), strict=True))
            print(
                f"{name}, {site.backend}, {site.subscribers}: {turns[0][0]} at {rate:.0f}/s, "
                f"{1000 * web:.2f} ms and PG {1000 * database:.2f} ms each"
            )


def print_line(cells: Sequence[str]) -> None:
    numbers = (cell.rjust(width) for cell, width in zip(cells[1:], WIDTHS, strict=True))
    print(cells[0].ljust(22), *numbers)


def about(page: Page) -> list[str]:
    """What a page is; how fast it and its bare page are."""
    queries = max(len(footprint.rows) for footprints in page.footprints for footprint in footprints)
    rows, size = page.shown
    ours, bare = zip(*page.turns, strict=True)
    return [
        *(page.site.backend, str(page.site.subscribers), str(queries), f"{rows:.0f}", f"{size:.0f}"),
        *(f"{median(s.rate for s in ours):.1f}", f"{1000 * median(s.web for s in ours):.2f}"),
        f"{1000 * median(s.database for s in ours):.2f}",
        *(f"{median(s.rate for s in bare):.1f}", f"{1000 * median(s.cpu for s in bare):.2f}"),
    ]


def words(*numbers: float) -> list[str]:
    return [f"{number:.2f}" for number in numbers]


def of_bare(page: Page) -> float:
    return median(bare.cpu / ours.cpu for ours, bare in page.turns)


def first_of(page: Page, same: Sequence[Page]) -> Page:
    """The same page of the smallest farm on its database."""
    return next(other for other in same if other.site.backend == page.site.backend)


def kept(page: Page, same: Sequence[Page]) -> float:
    turns = zip(first_of(page, same).turns, page.turns, strict=False)
    return median(before.cpu / ours.cpu for (before, _), (ours, _) in turns)


def for_shown(page: Page, same: Sequence[Page], counting: bool) -> float:
    first = first_of(page, same)
    grown = [now / before for now, before in zip(page.shown, first.shown, strict=True)]
    if counting:
        grown.append(page.site.subscribers / first.site.subscribers)
    return kept(page, same) * max(1, *grown)


def print_goals(pages: dict[str, list[Page]], acts: dict[str, Turns], sites: list[Site]) -> int:
    own = {name: pages[name] for name in (*MEMBER_PAGES, SKIP, ADD, ORDER)}
    halves = [of_bare(page) for page in pages["/espace"]]
    goals = [("/espace: no more than twice the bare page", min(halves) >= 0.5, ", ".join(words(*halves)))]
    for name, same in pages.items():
        if name in own:
            goal, found = "within 10 % on each farm", [kept(page, same) for page in same]
        else:
            goal = "at most as it shows"
            found = [for_shown(page, same, name in COUNTING) for page in same]
        goals.append((f"{name}: {goal}", min(found) >= FLAT, ", ".join(words(*found))))
    for name, limit in ((LIST, 1), (LIST_FILE, 2)):
        for page in pages[name]:
            took = 1 / median(ours.rate for ours, _ in page.turns)
            allowed = limit * max(1, page.site.boxes / BOXES)  # for more boxes as much longer
            goal = f"{name}, {page.site.backend}, {page.site.boxes} boxes: under {allowed:.1f} s"
            goals.append((goal, took < allowed, f"{took:.2f} s"))
    rate = min(median(speed.rate for _, speed in turns) for turns in acts["an invoice of the run"])
    goals.append(("10 000 invoices in 5 minutes", rate > INVOICES, f"{rate:.0f}/s"))
    planted = max(site.planted_in for site in sites)
    goals.append(("flask demo: under a minute", planted < 60, f"{planted:.0f} s"))
    print()
    for goal, met, measured_as in goals:
        print(f"{'ok' if met else 'MISSED':<7} {goal} ({measured_as})")
    return 0 if all(met for _, met, _ in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
