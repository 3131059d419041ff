"""`make bench`: how fast the portal answers on farms of some sizes, beside a bare Flask page.

The bare page (bare.py) reads as many rows in as many queries and sends as many bytes under the same server. All take
short turns, again and again, so that whatever else the machine does meets all alike: speeds are medians over the
turns, ratios are medians over turns that follow each other; 0.50 of something is half as fast. CPU is the web
server's own, without PostgreSQL's. Nothing is compressed. Exits with 1 where a goal is missed.
"""

import argparse
import logging
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from statistics import mean, median

from tests import databases
from tests.benchmarks.server import Speed
from tests.benchmarks.site import LIST, LIST_FILE, Page, Site

COLUMNS = (
    *("page", "farm", "queries", "rows", "bytes"),
    *("answers/s", "CPU ms", "bare: /s", "CPU ms"),
    *("of bare", "by CPU", "of first", "by CPU"),
)
WIDTHS = (6, 8, 7, 8, 10, 8, 9, 7, 8, 7, 9, 7)


def main() -> int:
    chosen = arguments()
    logging.disable()
    with ExitStack() as stack:
        sites = [Site(chosen.backend, number, stack) for number in chosen.subscribers]
        asked = [site.pages() for site in sites]
        pages = {
            name: [Page(site, visits[name]) for site, visits in zip(sites, asked, strict=True)]
            for name in asked[0]
        }
        for number in range(chosen.rounds):
            for same in pages.values():
                for page in same[:: 1 if number % 2 else -1]:
                    page.take_turn(chosen.seconds)
        steps = [[site.bill_some() for site in sites] for _ in range(chosen.rounds)]
    print_table(pages)
    print_steps(sites, steps)
    return print_goals(pages["/espace"], pages[LIST][-1], pages[LIST_FILE][-1])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--subscribers", nargs="+", type=int, default=[200, 10_000], help="of each farm, the smallest first")
    add("--backend", choices=databases.BACKENDS, default="sqlite")
    add("--rounds", type=int, default=20)
    add("--seconds", type=float, default=0.2, help="how long a turn takes")
    return parser.parse_args()


def print_table(pages: dict[str, list[Page]]) -> None:
    print_line(COLUMNS)
    for name, same in pages.items():
        for page in same:
            print_line([*about(name, page), *words(of_bare(page) + of_first(same[0], page))])


def print_steps(sites: list[Site], turns: list[list[tuple[int, float]]]) -> None:
    """The monthly run, without the PDFs: what an invoice takes, and for how many of the first farm's."""
    each = [[took / max(count, 1) for count, took in turn] for turn in turns]
    for place, site in enumerate(sites):
        rate = 1 / median(turn[place] for turn in each)
        of_first = median(turn[0] / turn[place] for turn in each)
        print(
            f"a step of the run, {site.subscribers}: {turns[0][place][0]} of {rate:.0f}/s, of first {of_first:.2f}"
        )


def print_line(cells: Sequence[str]) -> None:
    numbers = (cell.rjust(width) for cell, width in zip(cells[1:], WIDTHS, strict=False))
    print(cells[0].ljust(22), *numbers)


def about(name: str, page: Page) -> list[str]:
    """What a page is, means over those who ask for it; how fast it and its bare page are."""
    seen = [footprint for footprints in page.footprints for footprint in footprints]
    queries = max(len(footprint.rows) for footprint in seen)
    rows, size = mean(sum(footprint.rows) for footprint in seen), mean(footprint.size for footprint in seen)
    speeds = [
        f"{number:.{digits}f}"
        for speeds in zip(*page.turns, strict=True)
        for number, digits in ((median(s.rate for s in speeds), 1), (1000 * median(s.cpu for s in speeds), 2))
    ]
    return [name, str(page.site.subscribers), str(queries), f"{rows:.0f}", f"{size:.0f}", *speeds]


def words(numbers: Iterable[float]) -> list[str]:
    return [f"{number:.2f}" for number in numbers]


def of_bare(page: Page) -> tuple[float, float]:
    return ratios(page.turns)


def of_first(first: Page, page: Page) -> tuple[float, float]:
    return ratios([(ours, before) for (before, _), (ours, _) in zip(first.turns, page.turns, strict=True)])


def ratios(turns: Sequence[tuple[Speed, Speed]]) -> tuple[float, float]:
    """How fast the first is for the second: by answers a second, and by CPU."""
    return median(a.rate / b.rate for a, b in turns), median(b.cpu / a.cpu for a, b in turns)


def print_goals(espace: list[Page], packing_list: Page, file: Page) -> int:
    halves = [of_bare(page)[0] for page in espace]
    sizes = [of_first(espace[0], page)[0] for page in espace]
    seconds, of_file = (1 / median(ours.rate for ours, _ in page.turns) for page in (packing_list, file))
    site = packing_list.site
    goals = [
        ("/espace: half as fast as the bare page", min(halves) >= 0.5, ", ".join(words(halves))),
        ("/espace: within 10 % of itself on the first farm", min(sizes) >= 0.9, ", ".join(words(sizes))),
        (f"packing list of {site.boxes} boxes: under a second", seconds < 1, f"{seconds:.2f} s"),
        ("the same as PDF: under two seconds", of_file < 2, f"{of_file:.2f} s"),
        ("flask demo: under a minute", site.planted_in < 60, f"{site.planted_in:.0f} s"),
    ]
    print()
    for goal, met, measured in goals:
        print(f"{'ok' if met else 'MISSED':<7} {goal} ({measured})")
    if site.boxes < 3000:
        print("The list's goal is meant for 3000 boxes: --subscribers 200 10000 has them.")
    return 0 if all(met for _, met, _ in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
