"""What a box holds at a pickup point, where that is not what its formula's boxes hold elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Swap:
    """A product that boxes do not hold at a point, and what they hold instead, if anything."""

    product_id: int
    instead_id: int | None = None
    amount: int = 0


def at_point(amounts: Mapping[int, int], swaps: Iterable[Swap]) -> dict[int, int]:
    """What a point's boxes hold: product → amount; `amounts` is what the formula's boxes hold, `swaps` the point's.

    What stands in may be swapped in its turn. A swap of what is not there brings nothing.
    """
    swaps = tuple(swaps)
    out = {swap.product_id for swap in swaps}
    known = amounts.keys() | {swap.instead_id for swap in swaps}
    held = {product_id: amount for product_id, amount in amounts.items() if product_id not in out}
    for swap in swaps:
        if swap.instead_id and swap.instead_id not in out and swap.product_id in known:
            held[swap.instead_id] = held.get(swap.instead_id, 0) + swap.amount
    return held
