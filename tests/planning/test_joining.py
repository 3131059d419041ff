"""Subscribing, within a transaction."""

import subprocess
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.queries import formulas
from portal.infra import clock as now_of
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail, files_of
from portal.pickup.models import PickupPoint
from portal.pickup.queries import points
from portal.planning import contracts
from portal.planning.joining import Joining, preview_joining
from portal.planning.previews import TermView
from portal.planning.subscribing import subscribe
from portal.planning.terms import Answer
from portal.profile.models import Conditions
from portal.rules.calendar import WEEK, Rhythm
from portal.rules.changes import Refusal
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.subscriptions.models import Contract, Subscription, Term, Withheld
from tests.world import CAMILLE, CUTOFF, NOW, TUESDAY

MONDAY = date(2026, 6, 15)


def camille(session: Session) -> Account:
    return session.scalars(select(Account).where(Account.email == CAMILLE)).one()


def wish(session: Session, formula: str = "petit", point: str = "halle", **fields: Any) -> TermView:
    return TermView(
        formula=next(one for one in formulas(session) if one.slug == formula),
        point=next(one for one in points(session) if one.slug == point),
        quantity=fields.get("quantity", 1),
        rhythm=fields.get("rhythm", Rhythm.WEEKLY),
    )


@pytest.fixture(autouse=True)
def conditions(session: Session) -> None:
    """Without them nobody can order."""
    session.add(Conditions(text="# Qui vend\n\nLa ferme.", published_at=NOW - timedelta(days=90)))
    session.flush()


def seen(session: Session, wanted: TermView, at: datetime = NOW, **options: Any) -> str:
    """What the form of a page opened at that moment carries."""
    joining = preview_joining(session, wanted, at, by_farm=True, **options).joining
    return joining.digest if joining else ""


def order(session: Session, at: datetime = NOW, **fields: Any) -> Joining | Answer | Refusal:
    wanted = wish(session, **fields)
    return subscribe(session, camille(session), wanted, seen(session, wanted, at))


def subscriptions(session: Session) -> int:
    return len(session.scalars(select(Subscription).where(Subscription.account == camille(session))).all())


def test_a_subscription_begins_with_the_first_open_delivery(session: Session) -> None:
    done = order(session, quantity=2)
    assert isinstance(done, Joining)
    assert (done.boxes[0].delivery.day, done.price) == (TUESDAY, Money(2300))
    term = session.scalars(select(Term).order_by(Term.id.desc())).first()
    assert term and (term.monday, term.until, term.formula.slug, term.quantity) == (MONDAY, None, "petit", 2)
    assert term.subscription.created_at == NOW
    mail = session.scalars(select(Mail)).one()
    assert mail.subject.replace("\u00a0", " ") == (
        "Nouvel abonnement : 2 × Petit panier, à partir du mardi 16 juin"
    )
    event = session.scalars(select(AuditEvent)).one()
    assert event.action == "subscription.new" and event.after


def test_the_preview_says_the_same_and_writes_nothing(session: Session) -> None:
    wanted = wish(session, rhythm=Rhythm.FORTNIGHT_B)
    shown = preview_joining(session, wanted, NOW)
    assert not (session.new or session.dirty)
    assert shown.joining
    assert [box.delivery.day for box in shown.joining.boxes] == [
        TUESDAY + WEEK, TUESDAY + 3 * WEEK, TUESDAY + 5 * WEEK,
    ]  # fmt: skip
    assert shown.rhythms[Rhythm.WEEKLY] == (TUESDAY, TUESDAY + WEEK, TUESDAY + 2 * WEEK)
    done = order(session, rhythm=Rhythm.FORTNIGHT_B)
    assert isinstance(done, Joining) and done.boxes == shown.joining.boxes


@pytest.mark.parametrize(
    ("point", "cutoff"),
    [("halle", CUTOFF), ("mairie", CUTOFF + timedelta(days=1)), ("cafe", CUTOFF + timedelta(days=2))],
)
def test_at_the_cutoff_it_is_no_more_as_it_was_seen(
    session: Session, clock: time_machine.Traveller, point: str, cutoff: Any
) -> None:
    clock.move_to(cutoff)
    assert order(session, point=point) is Answer.OTHERWISE
    assert subscriptions(session) == 2
    clock.move_to(cutoff - timedelta(milliseconds=1))
    assert isinstance(order(session, point=point), Joining)


def test_the_same_press_twice_is_one_subscription_and_one_mail(session: Session) -> None:
    order(session)
    assert order(session) is Answer.ALREADY
    assert subscriptions(session) == 3
    assert len(session.scalars(select(Mail)).all()) == 1


def test_another_wish_is_another_subscription(session: Session) -> None:
    order(session)
    for fields in ({"quantity": 2}, {"formula": "oeufs"}, {"point": "gare"}):
        assert isinstance(order(session, **fields), Joining)
    assert isinstance(order(session, rhythm=Rhythm.FORTNIGHT_A), Joining)


def test_the_same_wish_days_later_is_meant(session: Session, clock: time_machine.Traveller) -> None:
    order(session)
    clock.shift(timedelta(days=1))
    assert isinstance(order(session, at=now_of.now()), Joining)


def test_a_full_point_is_refused_before_and_after_the_press(session: Session) -> None:
    session.scalars(select(PickupPoint).where(PickupPoint.slug == "halle")).one().capacity = 1  # Camille's
    session.flush()
    assert preview_joining(session, wish(session), now_of.now()).refusal is Refusal.FULL
    assert order(session) is Refusal.FULL
    assert isinstance(order(session, formula="oeufs"), Joining), "eggs take no place"


def test_what_a_point_does_not_offer_is_refused(session: Session) -> None:
    wanted = wish(session)
    session.add(Withheld(pickup_point_id=wanted.point.id, formula_id=wanted.formula.id))
    session.flush()
    assert preview_joining(session, wanted, NOW).refusal is Refusal.NOT_OFFERED
    assert order(session) is Refusal.NOT_OFFERED


def test_eggs_beside_are_a_second_subscription_of_the_same_act(session: Session) -> None:
    wanted, eggs = wish(session), wish(session, formula="oeufs")
    shown = seen(session, wanted, beside=eggs)
    assert subscribe(session, camille(session), wanted, shown) is Answer.OTHERWISE, "it was seen with eggs"
    done = subscribe(session, camille(session), wanted, shown, beside=eggs)
    assert isinstance(done, Joining) and (done.total, done.label) == (Money(1390), "Petit panier + Œufs")
    assert subscriptions(session) == 4
    assert len(session.scalars(select(Mail)).all()) == 1


def test_the_contract_is_kept_sealed_and_mailed_with_the_conditions(session: Session) -> None:
    account = camille(session)
    account.payment_means = PaymentMeans.TRANSFER
    order(session)
    [contract] = session.scalars(select(Contract))
    assert contract.conditions_id and contract.paper.startswith(b"%PDF-")
    written = subprocess.run(["pdftotext", "-", "-"], input=contract.paper, capture_output=True, check=True)
    assert "Modèle de formulaire de rétractation" in written.stdout.decode().replace("\u00a0", " ")
    kept = session.scalar(select(type_coerce(Contract.paper, LargeBinary)))
    assert kept and b"%PDF-" not in kept
    number = contracts.contract_number(contract.subscription_id)
    shown = [(view.number, view.formula) for view in contracts.of_account(session, account.id)]
    assert shown == [(number, "Petit panier")]
    assert contracts.paper(session, account.id, contract.id)
    assert contracts.paper(session, account.id + 1, contract.id) is None, "somebody else's"
    [mail] = session.scalars(select(Mail))
    session.commit()
    session.refresh(mail)
    session.expunge(mail)
    session.rollback()
    assert [(file.name, file.data[:5]) for file in files_of(mail)] == [
        (f"contrat-{number}.pdf", b"%PDF-"),
        ("conditions-2026-03-12.pdf", b"%PDF-"),
    ]


def test_a_contract_goes_ten_years_after_its_end(session: Session, clock: time_machine.Traveller) -> None:
    order(session)
    row = session.scalars(select(Contract)).one().subscription
    row.last_day = last = date(2026, 12, 31)
    for day, left in ((date(2036, 12, 30), 1), (date(2037, 1, 2), 0)):
        session.commit()
        clock.move_to(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        contracts.forget_old()
        assert len(session.scalars(select(Contract.id)).all()) == left, last
