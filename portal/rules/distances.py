"""How far it is, as the crow flies."""

from collections.abc import Collection
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

EARTH_RADIUS = 6371.0  # km


class Position(NamedTuple):
    """A place on the map, in degrees."""

    latitude: float
    longitude: float


def kilometres(a: Position, b: Position) -> float:
    """The great circle between two places (haversine)."""
    north, east = radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)
    chord = sin(north / 2) ** 2 + cos(radians(a.latitude)) * cos(radians(b.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_RADIUS * asin(min(1.0, sqrt(chord)))


def middle(positions: Collection[Position]) -> Position:
    """The mean of places that lie close together, as those of a region do."""
    return Position(
        sum(p.latitude for p in positions) / len(positions),
        sum(p.longitude for p in positions) / len(positions),
    )
