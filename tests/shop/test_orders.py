"""An order takes the steps that there are, each once, with its mail; what it kept from others comes back once."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.rules.money import Money
from portal.rules.orders import OrderState, Refusal
from portal.rules.selling import SaleUnit, StockKind
from portal.shop import amending, queries
from portal.shop.amending import Fault, Objection
from portal.shop.models import Happening, OrderEvent, OrderLine, Voucher, VoucherUse
from portal.shop.orders import bring, hold, post
from tests.shop.making import article, line, order
from tests.world import CAMILLE, CUTOFF, NOW, TODAY, TUESDAY

SECOND = timedelta(seconds=1)


def counted(session: Session, left: int, name: str = "Miel", **changes):
    return article(session, name, stock_kind=StockKind.COUNTED, stock=left, **changes)


def mails(session: Session) -> list[Mail]:
    return list(session.scalars(select(Mail).order_by(Mail.id)))


def text_of(mail: Mail) -> str:
    return " ".join((mail.text or "").replace("\u202f", " ").replace("\u00a0", " ").split())


def voucher(session: Session, placed, **changes) -> Voucher:
    terms = {"amount": Money(300), "share": None, "minimum": Money(0)}
    made = Voucher(
        code="PRINTEMPS", first_day=TODAY, last_day=TODAY, uses=None, per_person=1, **(terms | changes)
    )
    session.add(made)
    session.flush()
    session.add(VoucherUse(order_id=placed.id, voucher_id=made.id))
    session.flush()
    return made


# Steps


@pytest.mark.parametrize(
    ("before", "to", "words"),
    [
        (OrderState.PLACED, OrderState.ACCEPTED, "La ferme a accepté votre commande B10001"),
        (OrderState.PLACED, OrderState.REFUSED, "Il n'y en a plus."),
        (OrderState.ACCEPTED, OrderState.CANCELLED, "la commande B10001 est annulée"),
        (OrderState.ACCEPTED, OrderState.PREPARED, "Votre commande est prête"),
        (OrderState.PREPARED, OrderState.DELIVERED, "a été livrée le mardi 16 juin"),
    ],
)
def test_each_step_leaves_its_line_its_trail_and_its_mail(session, before, to, words):
    placed = order(session, {article(session): 2}, state=before)
    assert bring(session, placed, to, at=NOW, by=3, reason="Il n'y en a plus.") is None
    assert placed.state is to
    last = session.scalars(select(OrderEvent).order_by(OrderEvent.id.desc())).first()
    assert (last.what, last.at, last.by_id, last.reason) == (Happening(to), NOW, 3, "Il n'y en a plus.")
    [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "order.state"))
    assert (event.before, event.after, event.account_id) == ({"state": before}, {"state": to}, 3)
    [mail] = mails(session)
    assert mail.recipient == CAMILLE
    assert "B10001 du mardi 16 juin" in mail.subject.replace("\u00a0", " ")
    assert words in text_of(mail)
    assert f"http://localhost/commandes/{placed.id}" in text_of(mail)


@pytest.mark.parametrize("state", [OrderState.DELIVERED, OrderState.REFUSED, OrderState.CANCELLED])
def test_a_step_that_does_not_exist_changes_nothing(session, state):
    placed = order(session, {article(session): 2}, state=state)
    assert bring(session, placed, OrderState.ACCEPTED, at=NOW, by=3) is Refusal.NOT_IN_THIS_STATE
    assert (placed.state, mails(session)) == (state, [])


def test_a_reason_belongs_to_its_own_step(session):
    placed = order(session, {article(session): 2}, state=OrderState.PLACED)
    bring(session, placed, OrderState.ACCEPTED, at=NOW, by=3, reason="Avec plaisir.")
    bring(session, placed, OrderState.CANCELLED, at=NOW, by=None)
    assert queries.find(session, placed.id).reason is None


def test_preparing_undone_is_no_second_acceptance(session):
    placed = order(session, {article(session): 2}, state=OrderState.PREPARED)
    assert bring(session, placed, OrderState.ACCEPTED, at=NOW, by=3) is None
    assert mails(session) == []


@pytest.mark.parametrize("to", [OrderState.REFUSED, OrderState.CANCELLED])
def test_what_ends_unfulfilled_gives_back_stock_and_voucher(session, to):
    honey = counted(session, 3)
    placed = order(session, {honey: 2}, state=OrderState.PLACED)
    voucher(session, placed)
    bring(session, placed, to, at=NOW, by=None)
    session.refresh(honey)
    assert honey.stock == 5
    assert session.scalars(select(VoucherUse)).all() == []


def test_past_the_cutoff_what_is_left_is_for_staff_to_count(session):
    honey = counted(session, 3)
    placed = order(session, {honey: 2})
    bring(session, placed, OrderState.REFUSED, at=CUTOFF, by=3)
    session.refresh(honey)
    assert honey.stock == 3


# Cancelling


def test_cancelling_gives_back_once_and_mails_once(session):
    honey = counted(session, 0)
    placed = order(session, {honey: 5})
    outcome = amending.cancel(session, placed.id, placed.account_id)
    assert (outcome.done, outcome.order.state) == (True, OrderState.CANCELLED)
    again = amending.cancel(session, placed.id, placed.account_id)
    assert (again.done, again.refusal) == (False, None)
    session.refresh(honey)
    assert (honey.stock, len(mails(session))) == (5, 1)


LAST_MOMENT = timedelta(milliseconds=1)
TOURS = (
    (TUESDAY, "halle", CUTOFF),
    (date(2026, 6, 18), "mairie", datetime(2026, 6, 15, 22, tzinfo=UTC)),
    (date(2026, 6, 19), "cafe", datetime(2026, 6, 16, 22, tzinfo=UTC)),
    (date(2026, 7, 14), "halle", datetime(2026, 7, 12, 22, tzinfo=UTC)),
)
"""Days, where one collects, and the first refused instant."""


@pytest.mark.parametrize("act", ["cancel", "amend"])
@pytest.mark.parametrize(("day", "point", "cutoff"), TOURS)
def test_every_tours_orders_change_until_its_cutoff(session, day, point, cutoff, act):
    placed = order(session, {article(session): 2}, day=day, point=point)
    for moment, refusal in ((cutoff, Refusal.PAST_CUTOFF), (cutoff - LAST_MOMENT, None)):
        with time_machine.travel(moment, tick=False):
            if act == "cancel":
                outcome = amending.cancel(session, placed.id, placed.account_id)
            else:
                outcome = amend(session, placed, [3])
        assert outcome.refusal is refusal


def test_nobody_cancels_somebody_elses_order(session):
    placed, of_guest = (
        order(session, {article(session): 1}),
        order(session, {article(session, "Jus"): 1}, email=None),
    )
    assert amending.cancel(session, placed.id, placed.account_id + 1) is None
    assert amending.cancel(session, placed.id, None) is None
    assert amending.cancel(session, of_guest.id, placed.account_id) is None
    assert amending.cancel(session, of_guest.id, None).done


def test_bread_that_is_already_ordered_keeps_the_order_from_being_cancelled(session):
    bread = article(session, "Pain", lead_days=4, lead_time=CUTOFF.time().replace(hour=23, minute=59))
    placed = order(session, {bread: 1, article(session): 2})
    for moment, refusal in ((CUTOFF - SECOND, Refusal.PARTLY_CLOSED), (CUTOFF, Refusal.PAST_CUTOFF)):
        with time_machine.travel(moment, tick=False):
            outcome = amending.cancel(session, placed.id, placed.account_id)
        assert outcome.refusal is refusal


# Amending


def amend(session, placed, quantities, shown=None):
    wanted = dict(zip((line.id for line in placed.lines), quantities, strict=True))
    view = queries.find(session, placed.id)
    if shown is None:
        shown = amending.preview(session, view, wanted, NOW).order.total
    return amending.amend(session, placed.id, placed.account_id, wanted, shown)


def test_quantities_change_with_the_stock_the_sum_and_one_mail(session):
    honey, juice = counted(session, 3), counted(session, 1, "Jus", cents=400)
    placed = order(session, {honey: 2, juice: 1})
    outcome = amend(session, placed, [4, 0])
    assert outcome.done
    session.refresh(honey), session.refresh(juice)
    assert (honey.stock, juice.stock) == (1, 2)
    assert [(line.name, line.quantity) for line in outcome.order.lines] == [("Miel", 4)]
    assert outcome.order.total == Money(4 * 650)
    [mail] = mails(session)
    assert "Miel : 2 → 4" in text_of(mail)
    assert "Jus : 1 → 0" in text_of(mail)
    assert "Le total était de 17,00 € TTC" in text_of(mail)
    assert [step.what for step in outcome.order.steps][-1] is Happening.CHANGED


def test_mails_write_goods_sums_and_vouchers_as_pages_do(session):
    carrots = article(session, "Carottes", 200, sale_unit=SaleUnit.WEIGHT, step=250)
    placed = order(session, {article(session): 2, carrots: 500}, discount=Money(253))
    voucher(session, placed)
    post(session, placed, "order_accepted", at=NOW, by=None)
    [mail] = mails(session)
    assert "2 × Miel\u00a0: 13,00\u00a0€" in mail.text
    assert "Carottes, 500\u00a0g\u00a0: 1,00\u00a0€" in mail.text
    assert "Bon d'achat PRINTEMPS\u00a0: −2,53\u00a0€" in mail.text
    assert "dont TVA à 5,5\u00a0%\u00a0: 0,60\u00a0€" in mail.text
    assert "<strong>Carottes, 500\u00a0g</strong>\u00a0: 1,00\u00a0€" in mail.html
    assert "−2,53\u00a0€" in mail.html


def test_what_is_already_so_is_not_written_again(session):
    placed = order(session, {article(session): 2})
    outcome = amend(session, placed, [2])
    assert (outcome.done, outcome.refused, mails(session)) == (False, False, [])


def test_more_than_is_left_is_refused_and_says_how_much_there_is(session):
    honey = counted(session, 3)
    placed = order(session, {honey: 2})
    outcome = amend(session, placed, [6])
    assert outcome.faults == {placed.lines[0].id: Fault("too_few", 5)}
    session.refresh(honey)
    assert (honey.stock, placed.lines[0].quantity) == (3, 2)


def test_two_lines_of_one_article_share_what_is_left(session):
    honey = counted(session, 2)
    placed = order(session, {honey: 1, article(session, "Confiture"): 1})
    placed.lines.append(line(honey, 1, instead_of_id=placed.lines[1].id))
    session.flush()
    jar, _jam, instead = placed.lines
    assert amend(session, placed, [3, 1, 3]).faults == {
        jar.id: Fault("too_few", 3),
        instead.id: Fault("too_few", 3),
    }
    assert amend(session, placed, [4, 1, 0]).done
    session.refresh(honey)
    assert honey.stock == 0
    assert amend(session, placed, [4, 0]).done


def test_one_line_gets_what_another_of_the_same_article_gives_up(session):
    honey = counted(session, 0)
    placed = order(session, {honey: 1})
    placed.lines.append(line(honey, 2))
    session.flush()
    assert amend(session, placed, [2, 1]).done
    session.refresh(honey)
    assert honey.stock == 0


@pytest.mark.parametrize("given", [480, 0])
def test_what_the_farm_has_weighed_or_reduced_is_not_said_to_be_ordered_early(session, given):
    placed = order(session, {article(session): 2, article(session, "Jus"): 1})
    placed.lines[0].given = given
    session.flush()
    assert amend(session, placed, [1, 1]).faults == {placed.lines[0].id: Fault(Objection.BY_FARM)}


def test_less_of_what_is_sold_no_more_can_still_be_ordered(session):
    honey = article(session)
    placed = order(session, {honey: 3})
    honey.retired_at = NOW
    session.flush()
    assert amend(session, placed, [2]).done
    assert amend(session, placed, [4]).faults


def test_an_amended_order_keeps_its_prices(session):
    honey = article(session)
    placed = order(session, {honey: 1})
    honey.prices[-1].price = Money(999)
    session.flush()
    assert amend(session, placed, [2]).order.total == Money(1300)


def test_the_button_holds_for_the_sum_above_it(session):
    placed = order(session, {article(session): 2})
    assert amend(session, placed, [3], shown=Money(1)).refusal is Objection.OTHER_TOTAL
    assert placed.lines[0].quantity == 2


def test_nothing_left_is_a_cancellation(session):
    placed = order(session, {article(session): 2})
    assert amend(session, placed, [0]).refusal is Refusal.NOTHING_LEFT


def test_a_vouchers_discount_is_worked_out_anew(session):
    placed = order(session, {article(session): 4}, discount=Money(260))
    voucher(session, placed, amount=None, share=1000, minimum=Money(1300))
    assert amend(session, placed, [2]).order.discount == Money(130)
    assert amend(session, placed, [1]).order.discount == Money(0)
    assert amend(session, placed, [3]).order.discount == Money(195)


def test_bread_changes_until_its_own_cutoff_and_the_rest_until_the_deliverys(session):
    bread = article(session, "Pain", lead_days=4, lead_time=CUTOFF.time().replace(hour=23, minute=59))
    placed = order(session, {bread: 1, article(session): 2})
    with time_machine.travel(CUTOFF - SECOND, tick=False):
        assert list(amend(session, placed, [0, 2]).faults.values()) == [Fault("closed_earlier")]
        assert amend(session, placed, [1, 3]).done


def test_a_guests_order_does_not_fall_below_the_minimum(session):
    placed = order(session, {article(session): 3}, email=None)
    assert amend(session, placed, [2]).refusal is Objection.BELOW_MINIMUM
    assert amend(session, placed, [4]).done


def test_the_minimum_is_of_what_is_ordered_not_of_what_a_voucher_leaves(session):
    placed = order(session, {article(session, "Jus", 400): 5}, email=None, discount=Money(500))
    voucher(session, placed, amount=Money(500))
    assert amend(session, placed, [4]).done
    assert amend(session, placed, [3]).refusal is Objection.BELOW_MINIMUM


# Reading


def test_vat_is_shared_by_rate_after_the_discount(session):
    placed = order(
        session,
        {article(session): 2, article(session, "Bière", 400, vat=2000): 1},
        discount=Money(170),
    )
    view = queries.find(session, placed.id)
    assert (view.subtotal, view.total) == (Money(1700), Money(1530))
    assert [(part.basis_points, part.total.cents, part.vat.cents) for part in view.vat] == [
        (550, 1170, 61),
        (2000, 360, 60),
    ]


def test_what_is_given_decides_what_is_paid(session):
    potatoes = article(session, "Pommes de terre", 200, sale_unit=SaleUnit.WEIGHT, step=250)
    placed = order(session, {potatoes: 1500})
    assert queries.find(session, placed.id).estimated
    session.scalars(select(OrderLine)).one().given = 1480
    session.flush()
    view = queries.find(session, placed.id)
    assert (view.total, view.estimated) == (Money(296), False)


def test_orders_are_read_in_a_constant_number_of_queries(session, count_queries):
    goods = [article(session, f"Miel {number}") for number in range(5)]
    account_id = order(session, {goods[0]: 1}).account_id
    with count_queries() as few:
        queries.orders_of(session, account_id, since=TODAY)
    for number in range(10):
        order(session, dict.fromkeys(goods, number + 1))
    with count_queries() as many:
        assert len(queries.orders_of(session, account_id, since=TODAY)) == 11
    assert len(few) == len(many) == 2


def test_orders_between_two_days_are_those_that_bring_something(session):
    honey = article(session)
    live = order(session, {honey: 1})
    order(session, {honey: 1}, state=OrderState.CANCELLED)
    order(session, {honey: 1}, email=None)
    order(session, {honey: 1}, day=TUESDAY + timedelta(weeks=1))
    found = queries.orders_between(session, live.account_id, TUESDAY, TUESDAY)
    assert [view.id for view in found] == [live.id]


def test_held_orders_come_by_their_numbers(session):
    honey = article(session)
    ids = [order(session, {honey: 1}).id for _ in range(3)]
    assert [held.id for held in hold(session, reversed(ids))] == ids
