"""Asks the European Union whether a VAT number is in use (VIES). The worker does: its servers are often away.

What it says is shown to staff; nothing waits for it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import requests
from sqlalchemy import select, update

from portal.accounts.models import Company, VatState
from portal.infra import clock
from portal.infra.orm import own_transaction

SECONDS = 15.0
"""For an answer; the worker's other tasks wait so long at most."""

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 360, 1440, 2880, 2880, 2880))
"""Until it is asked again; when they are used up it stays unavailable."""

COUNTRIES = {"GR": "EL"}
"""As VIES names them, where others do otherwise."""

Ask = Callable[[str], VatState]


def asker(url: str) -> Ask:
    """Who answers for a number, at an address of the REST interface."""

    def ask(number: str) -> VatState:
        country, rest = number[:2], number[2:]
        question = {"countryCode": COUNTRIES.get(country, country), "vatNumber": rest}
        try:
            answer = requests.post(
                f"{url}/check-vat-number", json=question, timeout=SECONDS, allow_redirects=False
            )
            valid = answer.json()["valid"] if answer.status_code == requests.codes.ok else None
        except (requests.RequestException, LookupError, TypeError):
            valid = None
        if valid is True:
            return VatState.VALID
        return VatState.INVALID if valid is False else VatState.UNAVAILABLE

    return ask


def check_next(ask: Ask) -> bool:
    """Have one number looked up that is due; True if there may be another. No transaction is open meanwhile."""
    claimed = _claim(clock.now())
    if claimed is None:
        return False
    account_id, number = claimed
    answer = ask(number)
    values = {"vat_state": answer, "vat_checked_at": clock.now()}
    if answer is not VatState.UNAVAILABLE:
        values["vat_due_at"] = None
    same = Company.account_id == account_id, Company.vat_number == number
    with own_transaction() as session:
        session.execute(update(Company).where(*same).values(values))
    return True


def _claim(now: datetime) -> tuple[int, str] | None:
    """The number that is longest due; it falls due again by itself if the worker dies or nobody answers."""
    due = select(Company).where(Company.vat_due_at <= now).order_by(Company.vat_due_at).limit(1)
    with own_transaction() as session:
        company = session.scalar(due.with_for_update(skip_locked=True))
        if company is None:
            return None
        tries, company.vat_tries = company.vat_tries, company.vat_tries + 1
        company.vat_due_at = now + PAUSES[tries] if tries < len(PAUSES) else None
        assert company.vat_number is not None
        return company.account_id, company.vat_number
