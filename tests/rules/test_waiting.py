"""How long a place is kept."""

from datetime import UTC, datetime

import pytest

from portal.rules.waiting import kept_until


@pytest.mark.parametrize(
    ("invited", "until"),
    [
        (datetime(2026, 6, 10, 8, tzinfo=UTC), datetime(2026, 6, 15, 22, tzinfo=UTC)),
        (
            datetime(2026, 6, 10, 22, 30, tzinfo=UTC),
            datetime(2026, 6, 16, 22, tzinfo=UTC),
        ),  # the 11th in Paris
        (datetime(2026, 10, 21, 12, tzinfo=UTC), datetime(2026, 10, 26, 23, tzinfo=UTC)),  # winter has begun
    ],
)
def test_a_place_is_kept_until_the_end_of_the_fifth_day(invited: datetime, until: datetime) -> None:
    assert kept_until(invited) == until


def test_a_naive_moment_is_none() -> None:
    with pytest.raises(ValueError, match="naive"):
        kept_until(datetime(2026, 6, 10))  # noqa: DTZ001
