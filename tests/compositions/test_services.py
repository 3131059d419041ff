"""Composing a delivery's boxes: amounts, what is shown, what changed since, copies."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.catalogue.models import Formula, Product
from portal.compositions.models import Composition, CompositionLine, CompositionState
from portal.compositions.queries import grid, progress, shown_contents, sources
from portal.compositions.services import Refusal, copy, set_state
from portal.deliveries.queries import DeliveryView
from portal.infra.audit import AuditEvent
from portal.rules.money import Money
from tests.composing import SOMEBODY, contents, delivery_on, formula, put, show
from tests.world import NOW, TUESDAY

NEXT = TUESDAY + timedelta(weeks=1)
LATER = NOW + timedelta(hours=1)
HALLE = 1
"""A point."""


@pytest.fixture
def tuesday(session: Session) -> DeliveryView:
    return delivery_on(session, TUESDAY)


def changes(session: Session, delivery: DeliveryView) -> list[tuple[str, str, int, int]]:
    return [
        (change.product.name, change.kind, change.before, change.after)
        for column in grid(session, delivery).columns
        for change in column.changes
    ]


def test_a_cell_is_filled_changed_and_emptied(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    assert contents(session, tuesday) == {("grand", "Carottes"): 500}
    put(session, tuesday, "grand", "carottes", 750)
    assert contents(session, tuesday) == {("grand", "Carottes"): 750}
    put(session, tuesday, "grand", "carottes", 0)
    assert contents(session, tuesday) == {}


def test_emptying_an_empty_cell_writes_nothing(session, tuesday):
    put(session, tuesday, "grand", "carottes", 0)
    session.flush()
    assert session.scalars(select(Composition)).all() == []


def test_what_others_saved_meanwhile_is_seen_once_the_lock_is_held(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    read_before = session.scalars(select(Composition)).one()
    assert [line.amount for line in read_before.lines] == [500]
    theirs = update(CompositionLine).values(amount=900).execution_options(synchronize_session=False)
    session.execute(theirs)
    put(session, tuesday, "grand", "carottes", 500)
    session.flush()
    session.expire_all()
    assert contents(session, tuesday) == {("grand", "Carottes"): 500}


def test_each_box_is_weighed_against_its_price(session, tuesday):
    put(session, tuesday, "grand", "carottes", 5000)
    put(session, tuesday, "grand", "salade", 6)
    small, large, _eggs = grid(session, tuesday).columns
    assert (large.worth, large.price, large.gap) == (Money(2030), Money(1950), 410)
    assert (small.worth, small.gap) == (Money(0), -10_000)


def test_subscribers_see_nothing_of_a_draft(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    assert shown_contents(session, tuesday.id, [(formula(session, "grand"), HALLE)]) == {}


def test_subscribers_see_what_is_shown_of_their_formulas_only(session, tuesday):
    put(session, tuesday, "grand", "salade", 1)
    put(session, tuesday, "grand", "carottes", 500)
    put(session, tuesday, "petit", "radis", 1)
    show(session, tuesday)
    large = formula(session, "grand")
    seen = shown_contents(session, tuesday.id, [(large, HALLE), (formula(session, "oeufs"), HALLE)])
    assert list(seen) == [(large, HALLE)]
    shown = seen[large, HALLE]
    assert shown.state is CompositionState.FORECAST and not shown.confirmed
    assert [(x.product.name, x.amount) for x in shown.lines] == [("Carottes", 500), ("Salade", 1)]
    assert shown.lines[0].product.storage == "Au frais, sans fanes."
    assert shown.changes == ()


def test_what_subscribers_see_takes_three_statements_however_many_boxes(session, tuesday, count_queries):
    for product in ("salade", "carottes", "radis"):
        put(session, tuesday, "grand", product, 1)
    show(session, tuesday)
    put(session, tuesday, "grand", "radis", 2)
    session.flush()
    boxes = [(formula_id, point) for formula_id in session.scalars(select(Formula.id)) for point in (1, 2)]
    with count_queries() as statements:
        shown_contents(session, tuesday.id, boxes)
    assert len(statements) == 3


def test_a_draft_keeps_no_list_of_changes(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    put(session, tuesday, "grand", "carottes", 600)
    assert changes(session, tuesday) == []


def test_what_changes_once_shown_is_listed_from_what_was_shown(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    put(session, tuesday, "grand", "radis", 1)
    show(session, tuesday)
    put(session, tuesday, "grand", "carottes", 400, at=LATER)
    put(session, tuesday, "grand", "radis", 0, at=LATER)
    put(session, tuesday, "grand", "salade", 1, at=LATER)
    assert changes(session, tuesday) == [
        ("Carottes", "changed", 500, 400),
        ("Radis", "absent", 1, 0),
        ("Salade", "new", 0, 1),
    ]
    large = formula(session, "grand")
    seen = shown_contents(session, tuesday.id, [(large, HALLE)])[large, HALLE]
    assert [(c.product.name, c.kind, c.at) for c in seen.changes] == [
        ("Carottes", "changed", LATER),
        ("Radis", "absent", LATER),
        ("Salade", "new", LATER),
    ]
    assert [line.product.name for line in seen.lines] == ["Carottes", "Salade"]


def test_changes_of_one_product_are_told_as_one_and_going_back_as_none(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    show(session, tuesday)
    put(session, tuesday, "grand", "carottes", 400)
    put(session, tuesday, "grand", "carottes", 300)
    put(session, tuesday, "grand", "salade", 1)
    assert ("Carottes", "changed", 500, 300) in changes(session, tuesday)
    put(session, tuesday, "grand", "carottes", 500)
    put(session, tuesday, "grand", "salade", 0)
    assert changes(session, tuesday) == []


def test_taken_back_to_draft_and_shown_again_it_still_says_what_changed(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    show(session, tuesday)
    show(session, tuesday, CompositionState.DRAFT)
    assert shown_contents(session, tuesday.id, [(formula(session, "grand"), HALLE)]) == {}
    put(session, tuesday, "grand", "carottes", 400)
    show(session, tuesday, at=LATER)
    assert changes(session, tuesday) == [("Carottes", "changed", 500, 400)]


def test_showing_is_noted_in_the_trail_once(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    show(session, tuesday)
    show(session, tuesday)
    show(session, tuesday, CompositionState.CONFIRMED, at=LATER)
    session.flush()
    events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [(e.action, e.account_id, e.before, e.after) for e in events] == [
        ("composition.state", SOMEBODY, {"state": "draft"}, {"state": "forecast"}),
        ("composition.state", SOMEBODY, {"state": "forecast"}, {"state": "confirmed"}),
    ]
    row = session.scalars(select(Composition)).one()
    assert (row.shown_at, row.confirmed_at) == (NOW, LATER)


def test_one_formula_may_be_shown_alone(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    put(session, tuesday, "petit", "carottes", 300)
    small = formula(session, "petit")
    set_state(session, tuesday.id, CompositionState.FORECAST, [small], at=NOW, by=SOMEBODY)
    assert progress(session, [tuesday.id]) == {
        tuesday.id: {
            small: CompositionState.FORECAST,
            formula(session, "grand"): CompositionState.DRAFT,
        }
    }


def test_an_empty_box_is_not_shown(session, tuesday):
    assert show(session, tuesday) is Refusal.EMPTY
    put(session, tuesday, "grand", "carottes", 500)
    put(session, tuesday, "petit", "carottes", 300)
    put(session, tuesday, "petit", "carottes", 0)
    assert show(session, tuesday) is None
    small, large = formula(session, "petit"), formula(session, "grand")
    assert list(progress(session, [tuesday.id])[tuesday.id]) == [large]
    states = {row.formula_id: row.state for row in session.scalars(select(Composition))}
    assert states == {small: CompositionState.DRAFT, large: CompositionState.FORECAST}


def test_what_was_delivered_changes_no_more(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    on_the_day = NOW + (TUESDAY - NOW.date())
    assert put(session, tuesday, "grand", "carottes", 600, at=on_the_day) is None
    after = on_the_day + timedelta(days=1)
    assert put(session, tuesday, "grand", "carottes", 700, at=after) is Refusal.DONE
    assert show(session, tuesday, at=after) is Refusal.DONE
    other = delivery_on(session, NEXT)
    assert copy(session, other.id, tuesday.id, replace=True, at=after, by=SOMEBODY) is Refusal.DONE
    assert contents(session, tuesday) == {("grand", "Carottes"): 600}


def test_a_copy_fills_empty_boxes_as_drafts(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    put(session, tuesday, "petit", "radis", 1)
    show(session, tuesday)
    following = delivery_on(session, NEXT)
    assert copy(session, tuesday.id, following.id, replace=False, at=NOW, by=SOMEBODY) is None
    assert contents(session, following) == contents(session, tuesday)
    assert set(progress(session, [following.id])[following.id].values()) == {CompositionState.DRAFT}
    assert changes(session, following) == []
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "composition.copy")).one()
    assert (event.subject_id, event.after) == (str(following.id), {"from_delivery": tuesday.id})


def test_a_copy_asks_before_it_replaces_and_leaves_other_formulas_alone(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    following = delivery_on(session, NEXT)
    put(session, following, "grand", "salade", 2)
    put(session, following, "oeufs", "oeufs", 6)
    before = contents(session, following)
    assert copy(session, tuesday.id, following.id, replace=False, at=NOW, by=SOMEBODY) is Refusal.NOT_EMPTY
    assert contents(session, following) == before
    assert copy(session, tuesday.id, following.id, replace=True, at=NOW, by=SOMEBODY) is None
    assert contents(session, following) == {("grand", "Carottes"): 500, ("oeufs", "Œufs"): 6}


def test_a_copy_over_shown_boxes_tells_subscribers_what_changed(session, tuesday):
    put(session, tuesday, "grand", "carottes", 500)
    following = delivery_on(session, NEXT)
    put(session, following, "grand", "salade", 2)
    show(session, following)
    copy(session, tuesday.id, following.id, replace=True, at=LATER, by=SOMEBODY)
    assert changes(session, following) == [("Carottes", "new", 0, 500), ("Salade", "absent", 2, 0)]


def test_nothing_is_copied_from_empty_boxes(session, tuesday):
    following = delivery_on(session, NEXT)
    assert (
        copy(session, tuesday.id, following.id, replace=True, at=NOW, by=SOMEBODY) is Refusal.NOTHING_TO_COPY
    )


def test_copies_are_offered_from_deliveries_up_to_that_day_latest_first(session, tuesday):
    a_week_ago = delivery_on(session, TUESDAY - timedelta(weeks=1))
    put(session, a_week_ago, "grand", "carottes", 500, at=NOW - timedelta(weeks=1))
    put(session, delivery_on(session, TUESDAY + timedelta(days=2), "jeudi"), "grand", "carottes", 500)
    put(session, tuesday, "grand", "carottes", 500)
    last, emptied = delivery_on(session, NEXT), delivery_on(session, TUESDAY + timedelta(days=3), "vendredi")
    put(session, last, "grand", "carottes", 500)
    put(session, emptied, "grand", "carottes", 500)
    put(session, emptied, "grand", "carottes", 0)
    offered = [(source.day, source.tour_slug) for source in sources(session, last)]
    assert offered == [
        (TUESDAY + timedelta(days=2), "jeudi"),
        (TUESDAY, "mardi"),
        (TUESDAY - timedelta(weeks=1), "mardi"),
    ]
    assert [source.day for source in sources(session, tuesday)] == [TUESDAY - timedelta(weeks=1)]


def test_the_grid_takes_the_same_number_of_statements_however_full_it_is(session, tuesday, count_queries):
    def statements() -> int:
        session.expire_all()
        with count_queries() as seen:
            grid(session, tuesday)
        return len(seen)

    put(session, tuesday, "grand", "carottes", 1)
    session.flush()
    few = statements()
    session.add_all(
        Product(slug=f"p{n}", name=f"Produit {n}", unit="kg", value=Money(1), drawing="leaf", storage="")
        for n in range(30)
    )
    session.flush()
    large = session.scalars(select(Composition)).one()
    session.add_all(
        CompositionLine(composition_id=large.id, product_id=product, amount=1)
        for product in session.scalars(select(Product.id).where(Product.slug.startswith("p")))
    )
    session.flush()
    assert statements() == few
