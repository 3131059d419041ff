"""What the worker does for deliveries."""

from datetime import timedelta

from portal.deliveries import services
from portal.infra import clock
from portal.infra.jobs import DAY, Task
from portal.infra.orm import own_transaction
from portal.rules.cutoffs import local_day

AHEAD = timedelta(weeks=60)
"""A year and some, so that twelve months always lie ahead."""


def generate_ahead() -> None:
    """Keep at least twelve months of deliveries before us."""
    with own_transaction() as session:
        today = local_day(clock.now())
        services.generate(session, today, today + AHEAD)


TASKS = (Task("deliveries", DAY, generate_ahead),)
