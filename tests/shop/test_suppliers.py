"""Neighbours are mailed what is ordered of theirs, once it can change no more."""

from datetime import timedelta

from sqlalchemy import select

from portal.catalogue.models import Supplier
from portal.infra.outbox import Mail
from portal.rules.cutoffs import Lead, cutoff_instant
from portal.rules.orders import OrderState
from portal.rules.selling import Measured, SaleUnit
from portal.shop.suppliers import tell_suppliers
from tests.shop.making import article, order
from tests.world import CUTOFF, TUESDAY, YACINE

FOUR_DAYS = Lead(4, CUTOFF.time().replace(hour=23, minute=59))


def mails(session) -> list[tuple[str, str]]:
    session.commit()
    tell_suppliers()
    return [(mail.recipient, mail.text) for mail in session.scalars(select(Mail).order_by(Mail.id))]


def test_each_is_told_at_its_own_closing_once(session, clock):
    hive = Supplier(name="Le Rucher", email="rucher@example.org")
    honey = article(session, supplier=hive, content=500, measured=Measured.GRAMS)
    early = {"lead_days": FOUR_DAYS.days, "lead_time": FOUR_DAYS.time}
    bread = article(session, "Pain", sale_unit=SaleUnit.PIECE, supplier=hive, **early)
    silent = article(session, "Noix", supplier=Supplier(name="La Noyeraie"))
    order(session, {honey: 2, bread: 1, silent: 4})
    order(session, {honey: 3, article(session, "Ail"): 9}, email=YACINE, point="gare", with_box=False)
    order(session, {honey: 100}, state=OrderState.REFUSED)
    clock.move_to(cutoff_instant(TUESDAY, FOUR_DAYS) - timedelta(seconds=1))
    assert mails(session) == []

    clock.move_to(cutoff_instant(TUESDAY, FOUR_DAYS))
    [(to, text)] = mails(session)
    assert to == "rucher@example.org" and "- 1 × Pain" in text and "Miel" not in text

    clock.move_to(CUTOFF)
    [_, (to, text)] = mails(session)
    assert to == "rucher@example.org" and "- 5 × Miel (500 g)" in text.replace("\u202f", " ").replace(
        "\xa0", " "
    )
    assert "Pain" not in text and "Ail" not in text
    assert len(mails(session)) == 2, "once"


def test_nobody_is_told_of_a_delivery_that_does_not_take_place(session, clock):
    honey = article(session, supplier=Supplier(name="Le Rucher", email="rucher@example.org"))
    order(session, {honey: 2}).delivery.cancelled_at = CUTOFF - timedelta(days=1)
    clock.move_to(CUTOFF)
    assert mails(session) == []


def test_what_was_told_is_not_told_again_when_its_closing_is_moved(session, clock):
    hive = Supplier(name="Le Rucher", email="rucher@example.org")
    early = {"lead_days": FOUR_DAYS.days, "lead_time": FOUR_DAYS.time}
    bread = article(session, "Pain", sale_unit=SaleUnit.PIECE, supplier=hive, **early)
    order(session, {bread: 1, article(session, supplier=hive): 2})
    clock.move_to(cutoff_instant(TUESDAY, FOUR_DAYS))
    assert len(mails(session)) == 1
    bread.lead_days -= 1
    clock.move_to(CUTOFF)
    [_, (_, text)] = mails(session)
    assert "Miel" in text and "Pain" not in text
