"""What a point's boxes hold instead, what runs short, and whom that concerns."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import BoxChange
from portal.compositions.models import ShortageNotice
from portal.compositions.queries import exclusions, shown_contents
from portal.compositions.services import Refusal, Shortage, exclude, go_without, include
from portal.deliveries.queries import DeliveryView
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.planning import announcements
from portal.rules.calendar import monday_of
from portal.rules.contents import Swap
from tests import crowd
from tests.composing import SOMEBODY, contents, delivery_on, formula, product, put, show
from tests.world import CAMILLE, NOW, TUESDAY

LATER = NOW + timedelta(hours=1)
HALLE, GARE = 1, 2
EVERYWHERE = (HALLE, GARE)


@pytest.fixture
def tuesday(session: Session) -> DeliveryView:
    delivery = delivery_on(session, TUESDAY)
    put(session, delivery, "grand", "carottes", 500)
    put(session, delivery, "grand", "salade", 1)
    return delivery


def held(session: Session, delivery: DeliveryView, point: int = HALLE, box: str = "grand") -> dict[str, int]:
    key = (formula(session, box), point)
    return {line.product.name: line.amount for line in shown_contents(session, delivery.id, [key])[key].lines}


def without_salad(session: Session, delivery: DeliveryView, point: int, radishes: int = 0) -> Refusal | None:
    swap = Swap(product(session, "salade"))
    if radishes:
        swap = Swap(swap.product_id, product(session, "radis"), radishes)
    return exclude(session, delivery.id, (formula(session, "grand"), point), swap, at=LATER, by=SOMEBODY)


def run_short(
    session: Session,
    delivery: DeliveryView,
    points=EVERYWHERE,
    name: str = "salade",
    instead: str | None = "radis",
    boxes=("grand",),
) -> Refusal | None:
    ids = [formula(session, box) for box in boxes]
    shortage = Shortage(
        product_id=product(session, name),
        formula_ids=ids,
        point_ids=points,
        everywhere=points == EVERYWHERE,
        instead_id=product(session, instead) if instead else None,
        amounts=dict.fromkeys(ids, 2),
        note="La grêle a haché les salades.",
    )
    return go_without(session, delivery.id, shortage, at=LATER, by=SOMEBODY)


def mails(session: Session) -> list[Mail]:
    session.commit()
    while announcements.tell_of_shortages():
        pass
    session.expire_all()
    return list(session.scalars(select(Mail).order_by(Mail.id)))


def test_a_point_receives_something_else_and_its_subscribers_see_that(session, tuesday):
    without_salad(session, tuesday, GARE, radishes=2)
    show(session, tuesday, at=LATER + timedelta(hours=1))
    assert held(session, tuesday) == {"Carottes": 500, "Salade": 1}
    assert held(session, tuesday, GARE) == {"Carottes": 500, "Radis": 2}
    key = (formula(session, "grand"), GARE)
    assert shown_contents(session, tuesday.id, [key])[key].changes == (), "nobody was told otherwise before"


def test_what_a_point_loses_once_boxes_are_shown_is_a_change_there_alone(session, tuesday):
    show(session, tuesday)
    without_salad(session, tuesday, GARE, radishes=2)
    here, there = (formula(session, "grand"), HALLE), (formula(session, "grand"), GARE)
    shown = shown_contents(session, tuesday.id, [here, there])
    assert shown[here].changes == ()
    assert [(c.product.name, c.kind, c.at) for c in shown[there].changes] == [
        ("Radis", "new", LATER),
        ("Salade", "absent", LATER),
    ]


def test_what_boxes_do_not_hold_cannot_be_left_out_twice_nor_at_all(session, tuesday):
    assert without_salad(session, tuesday, GARE) is None
    assert without_salad(session, tuesday, GARE) is Refusal.NOT_HELD
    swap = Swap(product(session, "oeufs"))
    large, small = formula(session, "grand"), formula(session, "petit")
    for box in (large, small):
        answer = exclude(session, tuesday.id, (box, GARE), swap, at=NOW, by=SOMEBODY)
        assert answer is Refusal.NOT_HELD


def test_an_exclusion_is_taken_back_and_both_are_on_the_trail(session, tuesday):
    without_salad(session, tuesday, GARE)
    [excluded] = exclusions(session, tuesday.id)[formula(session, "grand"), GARE]
    for _ in range(2):
        assert include(session, tuesday.id, excluded.id, at=LATER, by=SOMEBODY) is None
    assert exclusions(session, tuesday.id) == {}
    actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions == ["composition.exclude", "composition.include"]


def test_what_runs_short_everywhere_is_composed_anew(session, tuesday):
    show(session, tuesday)
    assert run_short(session, tuesday) is None
    assert contents(session, tuesday) == {("grand", "Carottes"): 500, ("grand", "Radis"): 2}
    assert exclusions(session, tuesday.id) == {}
    key = (formula(session, "grand"), HALLE)
    changes = shown_contents(session, tuesday.id, [key])[key].changes
    assert [(c.product.name, c.kind, c.reason) for c in changes] == [
        ("Radis", "new", None),
        ("Salade", "absent", "La grêle a haché les salades."),
    ]
    [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "composition.shortage")).all()
    assert event.after["formula_ids"] == [formula(session, "grand")] and event.after["point_ids"] == []
    assert run_short(session, tuesday) is Refusal.NOT_HELD, "done already"


def test_what_runs_short_at_a_point_is_left_out_there(session, tuesday):
    show(session, tuesday)
    run_short(session, tuesday, points=(GARE,), instead=None)
    assert held(session, tuesday) == {"Carottes": 500, "Salade": 1}
    assert held(session, tuesday, GARE) == {"Carottes": 500}


def test_who_had_something_else_instead_keeps_it_when_it_runs_short_for_the_others(session, tuesday):
    without_salad(session, tuesday, GARE, radishes=3)
    show(session, tuesday)
    run_short(session, tuesday, instead=None)
    assert held(session, tuesday) == {"Carottes": 500}
    assert held(session, tuesday, GARE) == {"Carottes": 500, "Radis": 3}


def test_what_stands_in_runs_short_where_it_stands(session, tuesday):
    without_salad(session, tuesday, GARE, radishes=3)
    show(session, tuesday)
    run_short(session, tuesday, name="radis", instead="oeufs")
    assert held(session, tuesday) == {"Carottes": 500, "Salade": 1}
    assert held(session, tuesday, GARE) == {"Carottes": 500, "Œufs": 2}


def test_a_delivery_that_is_behind_us_stays_as_it_was(session, tuesday):
    past = delivery_on(session, TUESDAY - timedelta(weeks=1))
    assert run_short(session, past) is Refusal.DONE
    assert without_salad(session, past, GARE) is Refusal.DONE


def test_each_person_concerned_is_told_once_what_is_missing_what_comes_and_why(session, tuesday):
    show(session, tuesday)
    run_short(session, tuesday)
    [sent] = mails(session)
    assert sent.recipient == CAMILLE
    assert sent.subject.replace("\xa0", " ") == "Votre panier du mardi 16 juin change un peu"
    text = sent.text.replace("\xa0", " ").replace("\u202f", " ")
    assert "Salade. La grêle a haché les salades." in text
    assert "Grand panier : Radis à la place (2 bottes)" in text
    assert "/livraisons/2026-06-16/mardi" in text
    assert len(mails(session)) == 1, "the worker comes round again"


@pytest.mark.parametrize("without", ["other point", "other formula", "skipped", "never shown", "back again"])
def test_who_does_not_lack_it_is_not_told(session, tuesday, without):
    if without != "never shown":
        show(session, tuesday)
    put(session, tuesday, "petit", "salade", 1)
    run_short(
        session,
        tuesday,
        points=(GARE,) if without == "other point" else EVERYWHERE,
        boxes=["petit"] if without == "other formula" else ["grand"],
    )
    if without == "skipped":
        for subscription_id in (1, 2):
            session.add(
                BoxChange(subscription_id=subscription_id, week=monday_of(TUESDAY), skip=True, changed_at=NOW)
            )
    if without == "back again":
        put(session, tuesday, "grand", "salade", 1, at=LATER)
    assert mails(session) == []
    assert session.scalars(select(ShortageNotice).where(ShortageNotice.told_at.is_(None))).all() == []
    if without == "never shown":
        assert session.scalars(select(ShortageNotice)).all() == [], "nor once they are shown what is left"


def test_many_are_told_lot_by_lot_and_whoever_stops_goes_on_from_there(session, tuesday, monkeypatch):
    monkeypatch.setattr(announcements, "AT_ONCE", 3)
    crowd.add(session, 30)
    show(session, tuesday)
    run_short(session, tuesday)
    session.commit()
    real = announcements.mail.render
    calls = []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) == 5:
            raise SystemExit("the worker dies")
        return real(*args, **kwargs)

    monkeypatch.setattr(announcements.mail, "render", failing)
    assert announcements.tell_of_shortages()
    with pytest.raises(SystemExit):
        announcements.tell_of_shortages()
    session.expire_all()
    assert len(session.scalars(select(Mail)).all()) == 3, "the lot that failed told nobody"
    told = [sent.recipient for sent in mails(session)]
    assert len(told) == len(set(told)) > 6
    ids = dict(session.execute(select(Account.email, Account.id)).all())
    assert [ids[to] for to in told] == sorted(ids[to] for to in told)


def test_one_who_cannot_be_told_holds_nobody_up(session, tuesday, monkeypatch):
    crowd.add(session, 30)
    show(session, tuesday)
    run_short(session, tuesday)
    session.commit()
    real = announcements.outbox.post
    calls = []

    def failing(session, *, to, **mail):
        calls.append(to)
        real(session, to=None if len(calls) == 2 else to, **mail)

    monkeypatch.setattr(announcements.outbox, "post", failing)
    told = [sent.recipient for sent in mails(session)]
    assert told == calls[:1] + calls[2:] and len(told) > 6
    assert session.scalars(select(ShortageNotice.told_at)).one()
