"""Telling many people one thing: what runs short of their boxes, and what their formula will cost.

Some at a time, in the order of their accounts, each lot in one transaction with the number of its last account:
whoever stops on the way goes on from there, and nobody is told twice. The notice is locked while its lot is told.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.carried import carried
from portal.catalogue.models import Formula, FormulaPrice, Product
from portal.compositions.models import ShortageNotice
from portal.compositions.queries import shown_contents
from portal.deliveries.models import Delivery
from portal.deliveries.queries import view
from portal.infra import clock, locks, mail, outbox
from portal.infra.orm import own_transaction
from portal.profile.queries import get_farm
from portal.rules.calendar import monday_of
from portal.subscriptions.models import Subscription, Term

logger = logging.getLogger(__name__)

AT_ONCE = 50

Notice = TypeVar("Notice", ShortageNotice, FormulaPrice)
Tell = Callable[[Session, Notice, Collection[int]], None]


def tell_of_shortages() -> bool:
    """Tell some of those whose box lacks something that they were told it would hold; True if more wait."""
    waiting = select(ShortageNotice).where(ShortageNotice.told_at.is_(None)).order_by(ShortageNotice.id)
    return _tell_some(ShortageNotice, waiting, _short_of, _tell_shortage)


def tell_of_prices() -> bool:
    """Tell some of those who receive a formula whose price will change; True if more wait."""
    announced = (FormulaPrice.notice.is_not(None), FormulaPrice.told_at.is_(None))
    waiting = select(FormulaPrice).where(*announced).order_by(FormulaPrice.id)
    return _tell_some(FormulaPrice, waiting, _receiving, _tell_price)


def _tell_some(
    table: type[Notice],
    waiting: Select[Notice],
    concerned: Callable[[Notice], Select[int]],
    tell: Tell[Notice],
) -> bool:
    with own_transaction() as session:
        notice = session.scalar(locks.for_update(waiting.limit(1), of=table))
        if notice is None:
            return False
        locks.checked()
        of_them = concerned(notice).subquery()
        accounts: Sequence[int] = session.scalars(
            select(of_them.c[0])
            .where(of_them.c[0] > notice.told_through)
            .distinct()
            .order_by(of_them.c[0])
            .limit(AT_ONCE)
        ).all()
        tell(session, notice, accounts)
        notice.told_through = max([notice.told_through, *accounts])
        if len(accounts) < AT_ONCE:
            notice.told_at = clock.now()
        return True


def _post(session: Session, account: Account, name: str, **context: Any) -> None:
    if not outbox.can_send_to(account.email):
        return
    try:
        with session.begin_nested():
            rendered = mail.render(name, farm=get_farm(session), first_name=account.first_name, **context)
            outbox.post(session, to=account.email, **rendered.parts, at=clock.now())
            session.flush()
    except Exception:  # one that cannot be told must not hold up the others
        logger.exception("notice failed", extra={"account": account.id})


# Something runs short


def _boxes(notice: ShortageNotice) -> Select[int, int, int]:
    boxes = carried([notice.delivery_id])
    there = [boxes.c.pickup_point_id.in_(notice.point_ids)] if notice.point_ids else []
    return (
        select(Subscription.account_id, boxes.c.formula_id, boxes.c.pickup_point_id)
        .join(boxes, boxes.c.subscription_id == Subscription.id)
        .where(boxes.c.formula_id.in_(notice.formula_ids), boxes.c.quantity > 0, *there)
    )


def _short_of(notice: ShortageNotice) -> Select[int]:
    return _boxes(notice).with_only_columns(Subscription.account_id)


def _tell_shortage(session: Session, notice: ShortageNotice, accounts: Collection[int]) -> None:
    """Each by their own boxes, as they stand by now: what came back meanwhile is not missed."""
    boxes: dict[int, set[tuple[int, int]]] = {}
    for account_id, *box in session.execute(_boxes(notice).where(Subscription.account_id.in_(accounts))):
        boxes.setdefault(account_id, set()).add((box[0], box[1]))
    every = {box for own in boxes.values() for box in own}
    shown = shown_contents(session, notice.delivery_id, every)
    names = dict(session.execute(select(Formula.id, Formula.name)).all())
    delivery = view(session.get_one(Delivery, notice.delivery_id))
    missing = session.get_one(Product, notice.product_id)
    instead = session.get(Product, notice.instead_id) if notice.instead_id else None
    for account in session.scalars(select(Account).where(Account.id.in_(boxes)).order_by(Account.id)):
        fates = [
            (names[box[0]], _given(notice, box[0]) if instead and _holds(shown[box], instead.id) else 0)
            for box in sorted(boxes[account.id])
            if box in shown and not _holds(shown[box], missing.id)
        ]
        if fates:
            _post(
                session,
                account,
                "shortage",
                delivery=delivery,
                missing=missing,
                instead=instead,
                fates=list(dict.fromkeys(fates)),
                note=notice.note,
            )


def _holds(contents: Any, product_id: int) -> bool:
    return any(line.product.id == product_id for line in contents.lines)


def _given(notice: ShortageNotice, formula_id: int) -> int:
    return int(notice.instead_amounts.get(str(formula_id), 0))


# Another price


def _takes(since: date) -> tuple[ColumnElement[bool], ...]:
    """Of subscriptions and their terms: those that bring a box on that day or later, by what is known today."""
    return (
        or_(Term.until.is_(None), Term.until > monday_of(since)),
        or_(Subscription.last_day.is_(None), Subscription.last_day >= since),
    )


def receivers(session: Session, since: date) -> dict[int, int]:
    """How many people receive a formula from a day on: formula → people; none where nobody does."""
    people = func.count(Subscription.account_id.distinct())
    rows = session.execute(
        select(Term.formula_id, people)
        .join(Subscription, Subscription.id == Term.subscription_id)
        .where(*_takes(since))
        .group_by(Term.formula_id)
    )
    return dict(rows.all())


def _receiving(price: FormulaPrice) -> Select[int]:
    return (
        select(Subscription.account_id)
        .join(Term, Term.subscription_id == Subscription.id)
        .where(Term.formula_id == price.formula_id, *_takes(price.since))
    )


def _tell_price(session: Session, price: FormulaPrice, accounts: Collection[int]) -> None:
    """Nobody is left to be told where the price is already that one."""
    formula = session.get_one(Formula, price.formula_id)
    before = session.scalar(
        select(FormulaPrice)
        .where(FormulaPrice.formula_id == price.formula_id, FormulaPrice.since < price.since)
        .order_by(FormulaPrice.since.desc())
        .limit(1)
    )
    for account in session.scalars(select(Account).where(Account.id.in_(accounts)).order_by(Account.id)):
        _post(session, account, "price", formula=formula, before=before, price=price, note=price.notice)
