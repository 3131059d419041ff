"""A storm of acts: after each one, members, counts, lists and the freeze say the same.

Every act goes through its service, as a request would; the clock moves on between them, and what has closed
is frozen sooner or later. What a delivery carried when it closed never changes. Orders travel with the boxes:
what is ordered and what is left are together what was put in.
"""

from collections import Counter
from datetime import date, datetime, time, timedelta
from itertools import product

import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.carried import counts, loads, packing, received
from portal.boxes.models import Basket, Suspension
from portal.boxes.queries import member_boxes, with_changes
from portal.boxes.services import freeze
from portal.catalogue.models import Article, DeliveryStock, Formula
from portal.catalogue.queries import formulas
from portal.deliveries.models import Delivery
from portal.deliveries.queries import of_weeks
from portal.pickup import queries as pickup
from portal.pickup.models import PickupPoint
from portal.pickup.queries import points
from portal.planning import closings, deliveries, notices, previews, services, suspensions, terms
from portal.planning.models import ClosingNotice, DeliveryNotice
from portal.planning.previews import TermView
from portal.rules.calendar import WEEK, Rhythm, monday_of
from portal.rules.changes import Refusal
from portal.rules.orders import LIVE, OPEN, Aboard
from portal.rules.planning import closing_of
from portal.rules.selling import StockKind
from portal.shop import amending, rerouting
from portal.shop.checkout import Contact, place, summary
from portal.shop.drafts import Draft, Entry, keeper
from portal.shop.models import Order, OrderLine
from portal.shop.travel import box_stops
from portal.shop.vouchers import Person
from portal.subscriptions.models import Subscription, Term, Withheld
from portal.subscriptions.queries import of_account
from tests.infra.workers import ROUNDS
from tests.shop import making
from tests.world import CAMILLE, NOW, STAFF, TODAY, YACINE

FIRST = monday_of(TODAY)
WEEKS = [FIRST + n * WEEK for n in range(6)]
Row = tuple[int, date, int, int, int, int]
"""Subscription, week of origin, delivery, formula, quantity, point."""

people = st.sampled_from([CAMILLE, YACINE])
weeks = st.sampled_from(WEEKS[:4])
some = st.integers(0, 7)
"""Picks a subscription, a point, a formula: whichever it is, modulo how many there are."""
wishes = st.sampled_from([None, *Aboard])
PUT_IN = 9
CONTACT = Contact("Camille Blanc", "camille@example.org", "06 39 98 00 01", "1 rue", "05700", "Serres")


class Storm(RuleBasedStateMachine):
    """The tests' small farm; one place at the station, no small box there."""

    def __init__(self, session: Session, clock: time_machine.Traveller) -> None:
        super().__init__()
        self.session, self.clock, self.now = session, clock, NOW
        clock.move_to(NOW)
        station = session.scalars(select(PickupPoint).where(PickupPoint.slug == "gare")).one()
        small = session.scalars(select(Formula.id).where(Formula.slug == "petit")).one()
        station.capacity = 1
        session.add(Withheld(pickup_point_id=station.id, formula_id=small))
        self.goods = [
            making.article(session, "Miel", stock_kind=StockKind.COUNTED, stock=PUT_IN),
            making.article(session, "Fraises", stock_kind=StockKind.BY_DELIVERY, per_delivery=PUT_IN),
            making.article(session, "Pain", lead_days=4, lead_time=time(23, 59)),
        ]
        session.flush()
        self.deliveries = [delivery.id for delivery in of_weeks(session, WEEKS[0], WEEKS[-1])]
        self.points, self.formulas = points(session), formulas(session)
        self.closed: dict[int, set[Row]] = {}
        self.listed = 0
        self.taken_along = self.fallen = False
        self.moved: set[int] = set()

    def teardown(self) -> None:
        self.session.rollback()
        self.session.expunge_all()

    # Who and what

    def account(self, email: str) -> Account:
        return self.session.scalars(select(Account).where(Account.email == email)).one()

    def subscriptions(self, account: Account, which: int) -> list[int]:
        """One of an account's subscriptions, or all."""
        found = sorted(
            self.session.scalars(select(Subscription.id).where(Subscription.account_id == account.id))
        )
        return found if which % 3 == 2 else [found[which % len(found)]]

    def all_or_nothing(self, before: set[Row], refusal: Refusal | None) -> None:
        if refusal:
            assert self.rows() == before, "a refused act changes nothing"

    # Acts

    @rule(email=people, which=some, week=weeks, wanted=st.booleans(), orders=wishes)
    def skip(self, email: str, which: int, week: date, wanted: bool, orders: Aboard | None) -> None:
        account, before = self.account(email), self.rows()
        ids = self.subscriptions(account, which)
        outcome = services.skip(self.session, account, ids, week, wanted=wanted, orders=orders)
        self.all_or_nothing(before, outcome.refusal)
        again = services.skip(self.session, account, ids, week, wanted=wanted, orders=orders)
        assert (again.changed, again.refusal) == ((), outcome.refusal), "who asks again hears the same"

    @rule(email=people, which=some, week=weeks, later=st.sampled_from([None, 1, 2, 3, 4]), orders=wishes)
    def postpone(self, email: str, which: int, week: date, later: int | None, orders: Aboard | None) -> None:
        account, before = self.account(email), self.rows()
        to_week = week + later * WEEK if later else None
        ids = self.subscriptions(account, which)
        outcome = services.postpone(self.session, account, ids, week, to_week, orders=orders)
        self.all_or_nothing(before, outcome.refusal)
        again = services.postpone(self.session, account, ids, week, to_week, orders=orders)
        assert (again.changed, again.refusal) == ((), outcome.refusal)

    @rule(email=people, which=some, week=weeks, point=st.none() | some, orders=wishes)
    def move(self, email: str, which: int, week: date, point: int | None, orders: Aboard | None) -> None:
        account, before = self.account(email), self.rows()
        point_id = None if point is None else self.points[point % len(self.points)].id
        ids = self.subscriptions(account, which)
        outcome = services.move(self.session, account, ids, week, point_id, orders=orders)
        self.all_or_nothing(before, outcome.refusal)
        again = services.move(self.session, account, ids, week, point_id, orders=orders)
        assert (again.changed, again.refusal) == ((), outcome.refusal)

    @rule(
        email=people, which=some, week=weeks, formula=st.none() | some, quantity=st.sampled_from([None, 1, 2])
    )
    def vary(self, email: str, which: int, week: date, formula: int | None, quantity: int | None) -> None:
        account, before = self.account(email), self.rows()
        formula_id = None if formula is None else self.formulas[formula % len(self.formulas)].id
        ids = self.subscriptions(account, which)
        outcome = services.vary(self.session, account, ids, week, formula_id=formula_id, quantity=quantity)
        self.all_or_nothing(before, outcome.refusal)

    @rule(email=people, which=some, first=st.integers(0, 20), days=st.integers(0, 14), orders=wishes)
    def suspend(self, email: str, which: int, first: int, days: int, orders: Aboard | None) -> None:
        account, before = self.account(email), self.rows()
        since = TODAY + timedelta(days=first)
        ids = self.subscriptions(account, which)
        last = since + timedelta(days=days)
        outcome = suspensions.suspend(self.session, account, ids, since, last, orders=orders)
        self.all_or_nothing(before, outcome.refusal)
        away = {(box.subscription_id, box.week) for line in outcome.lines for box in line.suspended}
        assert {row[:2] for row in before} - {row[:2] for row in self.rows()} == {
            (subscription, week) for subscription, week in away if week <= WEEKS[-1]
        }, "what the answer names stays away, and nothing else"

    @rule(email=people, which=some)
    def resume(self, email: str, which: int) -> None:
        account = self.account(email)
        found = self.session.scalars(
            select(Suspension.id)
            .join(Subscription, Subscription.id == Suspension.subscription_id)
            .where(Subscription.account_id == account.id)
            .order_by(Suspension.id)
        ).all()
        if found:
            suspensions.resume(self.session, account, [found[which % len(found)]])

    @rule(email=people, which=some, point=some, rhythm=st.sampled_from(Rhythm), orders=wishes)
    def change_terms(self, email: str, which: int, point: int, rhythm: Rhythm, orders: Aboard | None) -> None:
        account, before = self.account(email), self.rows()
        subscription = self.subscriptions(account, which)[0]
        holdings = with_changes(self.session, of_account(self.session, account.id), FIRST)
        plan = next(holding.plan for holding in holdings if holding.id == subscription)
        formula = next(f for f in self.formulas if f.id == plan.terms[-1].formula_id)
        wanted = TermView(formula, 1 + which % 2, rhythm, self.points[point % len(self.points)])
        shown = previews.preview(self.session, holdings, subscription, wanted, now=self.now)
        expected = {change.id: change.monday for change in shown.changes}
        outcome = terms.change(self.session, account, subscription, wanted, expected=expected, orders=orders)
        if shown.refusal or not shown.changes:
            assert outcome.answer is not terms.Answer.DONE, "the page says what the act does"
            assert self.rows() == before
        elif outcome.answer is Refusal.ORDER_ABOARD:
            assert self.rows() == before
        else:
            assert outcome == terms.Outcome(terms.Answer.DONE, shown.changes)

    @rule(email=people, which=some, orders=wishes)
    def withdraw(self, email: str, which: int, orders: Aboard | None) -> None:
        account, before = self.account(email), self.rows()
        subscription = self.subscriptions(account, which)[0]
        latest = select(Term.monday).where(Term.subscription_id == subscription).order_by(Term.monday.desc())
        monday = self.session.scalars(latest).first()
        outcome = terms.withdraw(self.session, account, subscription, monday, orders=orders)
        if outcome.answer is not terms.Answer.DONE:
            assert self.rows() == before

    # Orders

    @initialize()
    def some_have_ordered(self) -> None:
        for email, good, stop in product((CAMILLE, YACINE), range(2), range(2)):
            self.order(email, good, 1, stop)

    @rule(email=people, good=some, quantity=st.integers(1, 3), stop=some)
    def order(self, email: str, good: int, quantity: int, stop: int) -> None:
        account, article = self.account(email), self.goods[good % len(self.goods)]
        stops = box_stops(self.session, account.id, self.now)
        chosen = stops[stop % len(stops)] if stops else None
        draft = Draft(
            entries={article.id: Entry(quantity, article.prices[0].price)},
            delivery_id=chosen.delivery.id if chosen else None,
        )
        mine, person = keeper(self.session, account.id), Person(account.id, account.email)
        mine.hold(self.now)
        mine.save(draft, self.now)
        seen = summary(self.session, draft, person, self.now)
        for again in (False, True):
            made = place(self.session, mine, person, CONTACT, key=draft.key, shown=seen.digest)
            assert made.refusal == seen.refusal, "the page says what the button does"
            assert made.again == (again and seen.refusal is None), "one cart makes one order"

    @rule(which=some, quantity=st.integers(0, 3))
    def amend_or_cancel(self, which: int, quantity: int) -> None:
        found = self.session.scalars(select(Order).order_by(Order.id)).all()
        if found:
            order = found[which % len(found)]
            line = order.lines[0]
            if not quantity:
                amending.cancel(self.session, order.id, order.account_id)
            else:
                amending.amend(
                    self.session,
                    order.id,
                    order.account_id,
                    {line.id: quantity},
                    line.unit_price * quantity,
                )

    @rule()
    def orders_are_taken_along(self) -> None:
        for order in self.session.scalars(select(Order).where(Order.state.in_(LIVE))).all():
            state = order.state
            rerouting.reroute(self.session, order)
            rerouting.rehouse(self.session, order)
            self.fallen |= order.state != state

    # What staff do

    @rule(which=st.integers(0, 17), reinstated=st.booleans())
    def staff_close_a_delivery(self, which: int, reinstated: bool) -> None:
        delivery, by = self.deliveries[which], self.account(STAFF).id
        outcome = deliveries.cancel(self.session, delivery, "", by=by)
        self.taken_along |= outcome.changed  # boxes that are taken along may fill a point beyond its places
        if outcome.changed and reinstated:
            before = deliveries.reinstate(self.session, delivery, by=by)
            assert before.told == 0 or delivery in self.moved, (
                "who has not been told yet never is, but of a move"
            )

    @rule(which=st.integers(0, 17), days=st.integers(-2, 2))
    def staff_move_a_delivery(self, which: int, days: int) -> None:
        delivery = self.session.get_one(Delivery, self.deliveries[which])
        day = delivery.nominal_day + timedelta(days=days)
        moved = deliveries.move(self.session, delivery.id, day, by=self.account(STAFF).id)
        self.moved |= {delivery.id} if moved.changed else set()

    @rule(which=some, first=st.integers(0, 20), days=st.integers(0, 14))
    def staff_close_a_point(self, which: int, first: int, days: int) -> None:
        point = self.points[which % len(self.points)]
        since = TODAY + timedelta(days=first)
        beside = [p for p in self.points if p.tour_id == point.tour_id and p != point]
        if beside:
            wish = closings.Wish(point, beside[0], since, since + timedelta(days=days))
            outcome = closings.close(self.session, wish, "Travaux", by=self.account(STAFF).id)
            self.taken_along |= outcome.changed  # staff may exceed the places

    @rule(which=some)
    def staff_reopen_a_point(self, which: int) -> None:
        found = pickup.closings(self.session, FIRST)
        if found:
            closing = found[which % len(found)]
            closings.reopen(self.session, closing, by=self.account(STAFF).id)

    @rule()
    def everybody_is_told(self) -> None:
        for account in self.session.scalars(select(DeliveryNotice.account_id).distinct()).all():
            notices.tell(self.session, account)
        of_points = select(ClosingNotice.closing_id, ClosingNotice.account_id)
        for closing, account in self.session.execute(of_points).all():
            closings.tell(self.session, closing, account)

    # Time

    @rule(hours=st.integers(1, 60))
    def time_goes_by(self, hours: int) -> None:
        self.go_to(self.now + timedelta(hours=hours))

    @rule(before=st.booleans())
    def the_next_cutoff_comes(self, before: bool) -> None:
        cutoffs = [d.cutoff_at for d in of_weeks(self.session, WEEKS[0], WEEKS[-1])]
        ahead = [cutoff for cutoff in cutoffs if cutoff > self.now + timedelta(milliseconds=1)]
        self.go_to(min(ahead) - timedelta(milliseconds=before))

    @rule()
    def what_has_closed_is_frozen(self) -> None:
        for delivery in self.deliveries:
            freeze(self.session, delivery)

    def go_to(self, moment: datetime) -> None:
        if moment < NOW + 4 * WEEK:
            self.now = moment
            self.clock.move_to(moment)

    # What all say

    def rows(self) -> set[Row]:
        """What comes, as the planning of each person shows it; nothing is shown twice."""
        views = of_weeks(self.session, WEEKS[0], WEEKS[-1])
        boxes = [
            box
            for email in (CAMILLE, YACINE)
            for holdings in [of_account(self.session, self.account(email).id)]
            for box in member_boxes(self.session, with_changes(self.session, holdings, FIRST), views)
        ]
        assert len({(box.subscription_id, box.week) for box in boxes}) == len(boxes)
        return {
            (box.subscription_id, box.week, box.delivery.id, box.formula.id, box.quantity, box.point.id)
            for box in boxes
            if not box.skipped
        }

    @invariant()
    def members_lists_and_the_freeze_say_the_same(self) -> None:
        rows = self.rows()
        frozen = {
            (b.subscription_id, b.week, b.delivery_id, b.formula_id, b.quantity, b.pickup_point_id)
            for b in self.session.scalars(select(Basket).where(Basket.delivery_id.in_(self.deliveries)))
        }
        told = received(self.deliveries).subquery().c
        expected = {
            tuple(row)
            for row in self.session.execute(
                select(
                    told.subscription_id,
                    told.week,
                    told.delivery_id,
                    told.formula_id,
                    told.quantity,
                    told.pickup_point_id,
                )
            )
        }
        views = of_weeks(self.session, WEEKS[0], WEEKS[-1])
        written = {view.id for view in views if view.frozen_at}
        void = {view.id for view in views if view.cancelled}
        assert {row for row in expected if row[2] not in written} == {
            row for row in rows if row[2] not in written
        }, "one statement says what each person's planning says"
        assert {row for row in frozen if row[2] not in void} == {row for row in rows if row[2] in written}
        self.check_lists(rows)
        self.check_boxes(rows)
        self.check_places()
        self.check_orders(rows)
        self.check_stock()

    def check_lists(self, rows: set[Row]) -> None:
        counted = Counter[tuple[int, ...]]()
        for _, _, delivery, formula, quantity, point in rows:
            counted[delivery, formula, point] += quantity
        assert counted == Counter(
            {
                (delivery, count.formula_id, count.pickup_point_id): count.boxes
                for delivery, found in counts(self.session, self.deliveries).items()
                for count in found
            }
        )
        self.listed = (self.listed + 1) % len(self.deliveries)  # one list a step: each takes its time
        delivery = self.deliveries[self.listed]
        packed = Counter[tuple[int, ...]]()
        for box in packing(self.session, delivery):
            packed[delivery, box.formula_id, box.pickup_point_id] += box.quantity
        assert packed == {key: n for key, n in counted.items() if key[0] == delivery}

    def check_boxes(self, rows: set[Row]) -> None:
        """One box a week, two on a delivery, and nothing moves on what has closed."""
        assert len({row[:2] for row in rows}) == len(rows)
        assert max(Counter((row[0], row[2]) for row in rows).values(), default=0) <= 2
        for delivery in of_weeks(self.session, WEEKS[0], WEEKS[-1]):
            if delivery.cancelled:
                self.closed.pop(delivery.id, None)
            elif delivery.cutoff_at <= self.now:
                carried = {row for row in rows if row[2] == delivery.id}
                assert self.closed.setdefault(delivery.id, carried) == carried

    def check_places(self) -> None:
        """Nobody has taken a place that a point did not have."""
        room = {point.id: point.capacity for point in self.session.scalars(select(PickupPoint))}
        for (point, week), taken in loads(self.session, list(room), WEEKS).items():
            assert taken <= room[point] or self.taken_along, (point, week)

    def check_orders(self, rows: set[Row]) -> None:
        """Who has an order with a box gets that box, unless the farm has meanwhile changed the date."""
        holder = {s.id: s.account_id for s in self.session.scalars(select(Subscription))}
        coming = {(holder[row[0]], row[2], row[5]) for row in rows}
        views = of_weeks(self.session, WEEKS[0], WEEKS[-1])
        known = {
            view.id: view.for_rules for view in views if not view.cancelled and view.id not in self.moved
        }
        closed = [closing.for_rules for closing in pickup.closings(self.session, FIRST)]
        for order in self.session.scalars(select(Order).where(Order.with_box, Order.state.in_(OPEN))):
            point = order.instead_of_id or order.pickup_point_id  # the worker may not have been there yet
            if order.delivery_id in known and (c := closing_of(point, known[order.delivery_id], closed)):
                point = c.substitute_id
            spot = (order.account_id, order.delivery_id, point)
            assert spot in coming or order.delivery_id not in known, spot

    def check_stock(self) -> None:
        """Units in order lines and units left are the units put in (BAR, K)."""
        for article in self.goods[:2]:
            ordered = (
                select(OrderLine.quantity).join(OrderLine.order).where(OrderLine.article_id == article.id)
            )
            live = sum(self.session.scalars(ordered.where(Order.state.in_(LIVE))))
            if article.stock_kind is StockKind.COUNTED:
                left, put_in = (
                    self.session.scalar(select(Article.stock).where(Article.id == article.id)),
                    PUT_IN,
                )
            else:
                rests = self.session.scalars(select(DeliveryStock.remaining)).all()
                left, put_in = sum(rests), PUT_IN * len(rests)
            assert live + left == put_in or (self.fallen and live + left < put_in)


def test_members_lists_and_the_freeze_say_the_same_through_a_storm_of_acts(
    session: Session, clock: time_machine.Traveller
) -> None:
    run_state_machine_as_test(
        lambda: Storm(session, clock),
        settings=settings(
            max_examples=4 * ROUNDS,
            stateful_step_count=20,
            phases=[Phase.generate],  # the steps of a failure read well enough
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
