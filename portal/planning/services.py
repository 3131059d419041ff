"""What subscribers do to their planning: load under the locks, ask the rules, write, post the mail."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.queries import MemberBox, with_skips
from portal.boxes.services import set_skip
from portal.deliveries import queries as deliveries
from portal.deliveries.models import Delivery
from portal.infra import audit, clock, locks, mail, outbox
from portal.planning.queries import next_box
from portal.rules.planning import Refusal, expected_term, refusal_to_skip, refusal_to_unskip, term_in_force
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import Holding, of_account


@dataclass(frozen=True, slots=True)
class Skipping:
    """What came of it: boxes whose state changed, or why nothing did."""

    changed: tuple[MemberBox, ...] = ()
    refusal: Refusal | None = None


def skip(
    session: Session, account: Account, subscription_ids: Collection[int], week: date
) -> Skipping | None:
    """Skip the boxes of one week; None where a subscription is not the account's."""
    return _set_skipped(session, account, subscription_ids, week, wanted=True)


def unskip(
    session: Session, account: Account, subscription_ids: Collection[int], week: date
) -> Skipping | None:
    """Take skipped boxes of one week back; None where a subscription is not the account's."""
    return _set_skipped(session, account, subscription_ids, week, wanted=False)


def _set_skipped(
    session: Session, account: Account, subscription_ids: Collection[int], week: date, *, wanted: bool
) -> Skipping | None:
    """All the boxes or none: one refusal refuses the act. What is as wished already is left alone."""
    if not subscription_ids:
        return Skipping(refusal=Refusal.NOTHING_CHOSEN)
    locked = session.scalars(
        locks.for_update(
            select(Subscription)
            .where(Subscription.id.in_(subscription_ids), Subscription.account_id == account.id)
            .order_by(Subscription.id),
            of=Subscription,
        )
    ).all()
    if len(locked) != len(set(subscription_ids)):
        return None
    mine = of_account(session, account.id)
    holdings = with_skips(session, [h for h in mine if h.id in set(subscription_ids)])
    found = _lock_deliveries(session, holdings, week)
    now = clock.now()

    boxes = []
    for holding in holdings:
        if (week in holding.plan.skipped_weeks) == wanted:
            continue
        delivery = found.get(holding.id)
        refusal = _refusal(holding, delivery, now, wanted=wanted)
        if refusal or delivery is None:
            return Skipping(refusal=refusal)
        boxes.append(_box(holding, delivery, wanted))
    if boxes:
        locks.checked()
        _write(session, account, boxes, now, wanted=wanted)
        _tell(session, account, holdings, boxes, now, wanted=wanted)
    return Skipping(changed=tuple(boxes))


def _lock_deliveries(
    session: Session, holdings: Collection[Holding], week: date
) -> dict[int, deliveries.DeliveryView]:
    """The delivery that each subscription uses in a week, kept from the freeze until our commit."""
    tours = {h.id: term.tour_id for h in holdings if (term := term_in_force(h.plan.terms, week))}
    rows = session.scalars(
        locks.for_share(
            select(Delivery)
            .where(Delivery.week == week, Delivery.tour_id.in_(set(tours.values())))
            .order_by(Delivery.id),
            of=Delivery,
        )
    )
    by_tour = {row.tour_id: deliveries.view(row) for row in rows}
    return {holding_id: by_tour[tour] for holding_id, tour in tours.items() if tour in by_tour}


def _refusal(
    holding: Holding, delivery: deliveries.DeliveryView | None, now: datetime, *, wanted: bool
) -> Refusal | None:
    if delivery is None:
        return Refusal.NOT_EXPECTED
    rule = refusal_to_skip if wanted else refusal_to_unskip
    return rule(
        box_expected=expected_term(holding.plan, delivery.for_rules) is not None,
        cancelled=delivery.cancelled,
        frozen=delivery.frozen_at is not None,
        cutoff=delivery.cutoff_at,
        now=now,
    )


def _box(holding: Holding, delivery: deliveries.DeliveryView, skipped: bool) -> MemberBox:
    term = expected_term(holding.plan, delivery.for_rules)
    assert term is not None, "the rules have just said that a box is expected"
    return MemberBox(
        subscription_id=holding.id,
        week=delivery.week,
        delivery=delivery,
        formula=holding.formulas[term.formula_id],
        quantity=term.quantity,
        point=holding.points[term.point_id],
        skipped=skipped,
    )


def _write(
    session: Session, account: Account, boxes: list[MemberBox], now: datetime, *, wanted: bool
) -> None:
    for box in boxes:
        set_skip(session, box.subscription_id, box.week, wanted, now)
        audit.record(
            session,
            "box.skip" if wanted else "box.unskip",
            ("subscription", box.subscription_id),
            at=now,
            by=account.id,
            before={"week": box.week.isoformat(), "skip": not wanted},
            after={"week": box.week.isoformat(), "skip": wanted},
        )


def _tell(
    session: Session,
    account: Account,
    holdings: list[Holding],
    boxes: list[MemberBox],
    now: datetime,
    *,
    wanted: bool,
) -> None:
    """One mail for the act: what, when, until when it can be undone, when deliveries go on (A4)."""
    acted = {box.subscription_id for box in boxes}
    week = boxes[0].week
    back = []
    for holding in holdings:
        if wanted and holding.id in acted:
            skipped = replace(holding.plan, skipped_weeks=holding.plan.skipped_weeks | {week})
            box = next_box(session, replace(holding, plan=skipped), boxes[0].delivery.day)
            if box:
                back.append(box)
    rendered = mail.render(
        "box_skipped" if wanted else "box_taken_back",
        first_name=account.first_name,
        boxes=boxes,
        delivery=boxes[0].delivery,
        point=boxes[0].point,
        back=back,
    )
    outbox.post(session, to=account.email, **rendered.parts, at=now)
