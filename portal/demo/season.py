"""What a week's boxes hold: of the season, worth about their price, and another choice each week.

Pure, and the same for the same seed and week.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from portal.demo.farm import FORMULAS, Formula
from portal.demo.vegetables import EGGS, VEGETABLES, Vegetable

# What subscribers find in nearly every box while it lasts.
_STAPLES = ("pommes-de-terre", "pommes-de-terre-nouvelles", "carottes", "tomates", "courgettes")
_SIZES = {formula.slug: size for size, formula in enumerate(FORMULAS) if formula.kind == "vegetables"}
_MOST_KINDS = (7, 9, 10)


@dataclass(frozen=True)
class Line:
    product: Vegetable
    amount: int  # grams, pieces or bunches

    @property
    def value(self) -> int:
        return self.product.value(self.amount)


def in_season(week: date) -> list[Vegetable]:
    """The vegetables of a week, named by its Monday; its month is its Thursday's, as ISO does for years."""
    month = (week + timedelta(days=3)).month
    return [vegetable for vegetable in VEGETABLES if month in vegetable.months]


def compose(formula: Formula, week: date, seed: int) -> tuple[Line, ...]:
    """A formula's box of one week. The sizes share their first vegetables: one harvest fills them all."""
    if formula.kind == "eggs":
        return (Line(EGGS, 6),)
    size = _SIZES[formula.slug]
    lines: list[Line] = []
    for vegetable in _one_of_a_kind(_by_preference(week, seed)):
        line = Line(vegetable, vegetable.amounts[size])
        if len(lines) < _MOST_KINDS[size] and worth((*lines, line)) <= formula.price:
            lines.append(line)
    return _rounded_up(lines, formula.price, size)


def fell_short(formula: Formula, week: date, seed: int) -> Line:
    """What had been planned for a week's box and gave too little."""
    held = {line.product for line in compose(formula, week, seed)}
    missing = next(vegetable for vegetable in _by_preference(week, seed) if vegetable not in held)
    return Line(missing, missing.amounts[_SIZES[formula.slug]])


def worth(lines: tuple[Line, ...] | list[Line]) -> int:
    return sum(line.value for line in lines)


def _by_preference(week: date, seed: int) -> list[Vegetable]:
    """Staples, then the half of the season whose turn it is, then the rest: weeks in a row differ."""
    draw = Random(f"{seed}/{week}")  # a string seeds alike in every process, a hash would not
    turn = (week.toordinal() // 7 + seed) % 2
    ranks = {
        vegetable.slug: (vegetable.slug not in _STAPLES, position % 2 != turn, draw.random())
        for position, vegetable in enumerate(VEGETABLES)
    }
    return sorted(in_season(week), key=lambda vegetable: ranks[vegetable.slug])


def _one_of_a_kind(vegetables: list[Vegetable]) -> Iterator[Vegetable]:
    """No two salads or two squashes in one box: what shares a drawing is of a kind."""
    seen: set[str] = set()
    for vegetable in vegetables:
        if vegetable.drawing not in seen:
            seen.add(vegetable.drawing)
            yield vegetable


def _rounded_up(lines: list[Line], price: int, size: int) -> tuple[Line, ...]:
    """The scales even it out: a little more of what is weighed, until the box is worth its price."""
    full = list(lines)
    grew = True
    while grew:
        grew = False
        for position, line in enumerate(full):
            if not line.product.weighed:
                continue
            more = Line(line.product, line.amount + (100 if line.product.unit == "kg" else 50))
            generous = more.amount > line.product.amounts[size] * 3 // 2
            if not generous and worth(full) - line.value + more.value <= price:
                full[position] = more
                grew = True
    return tuple(full)
