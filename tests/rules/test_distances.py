import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.distances import EARTH_RADIUS, Position, kilometres, middle

GAP, SISTERON = Position(44.559, 6.079), Position(44.195, 5.944)
positions = st.builds(Position, st.floats(-90, 90), st.floats(-180, 180))
half_way_round = 3.1415926536 * EARTH_RADIUS


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        (GAP, SISTERON, 41.9),
        (GAP, GAP, 0),
        (Position(44, 6), Position(45, 6), 111.2),
        (Position(0, 0), Position(0, 90), 10_007.5),
        (Position(90, 0), Position(-90, 0), 20_015.1),
    ],
)
def test_distances_are_those_of_the_globe(a, b, km):
    assert kilometres(a, b) == pytest.approx(km, abs=0.1)


@given(positions, positions)
def test_there_and_back_are_equally_far_and_nothing_is_further_than_half_way_round(a, b):
    assert kilometres(a, b) == pytest.approx(kilometres(b, a))
    assert 0 <= kilometres(a, b) <= half_way_round + 0.001


@given(positions, positions, positions)
def test_no_detour_is_shorter(a, b, c):
    assert kilometres(a, c) <= kilometres(a, b) + kilometres(b, c) + 0.001


def test_the_middle_of_places_lies_between_them():
    assert middle([Position(44, 5), Position(45, 7)]) == Position(44.5, 6)
    assert middle([GAP]) == GAP
