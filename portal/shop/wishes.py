"""What somebody would like: one private list, and a mail when something of it is back."""

import logging
from datetime import datetime

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.articles import Offer, offers
from portal.catalogue.models import Article
from portal.infra import clock, locks, mail, outbox
from portal.infra.orm import insert, own_transaction
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.shop.models import Wish

logger = logging.getLogger(__name__)

AT_ONCE = 20


def wished_by(account_id: int) -> Select[int]:
    """The articles on somebody's list, the latest wish first: a statement."""
    own = select(Wish.article_id).where(Wish.account_id == account_id)
    return own.order_by(Wish.made_at.desc(), Wish.article_id.desc())


def set_wish(session: Session, account_id: int, article_id: int, *, wanted: bool, at: datetime) -> bool:
    """Put an article on somebody's list or take it off; False where no such article is sold.

    What is not sold any more can still be taken off.
    """
    own = (Wish.account_id == account_id, Wish.article_id == article_id)
    if not wanted:
        session.execute(delete(Wish).where(*own))
        return session.get(Article, article_id) is not None
    offer = offers(session, [article_id], local_day(at)).get(article_id)
    if offer is None or offer.goods.retired or offer.article.price is None:
        return False
    values = {"account_id": account_id, "article_id": article_id, "made_at": at}
    values["missed_at"] = at if offer.missing(None, at) else None
    session.execute(insert(session, Wish).values(values).on_conflict_do_nothing())
    return True


# When it is back. What is counted by delivery, and what one tour does not carry, is not missing for long: only what
# nobody can have today is.


def tell_what_is_back() -> bool:
    """Note what is missing by now, and tell some of those who wait for what is back; True if more wait."""
    now = clock.now()
    with own_transaction() as session:
        to_be_had = [
            offer.article.id for offer in _wished_by_anybody(session, now) if not offer.missing(None, now)
        ]
        newly = (Wish.article_id.not_in(to_be_had), Wish.missed_at.is_(None))
        session.execute(update(Wish).where(*newly).values(missed_at=now))
        waiting = (
            select(Wish.account_id)
            .join(Account, Account.id == Wish.account_id)
            .where(Wish.missed_at.is_not(None), Wish.article_id.in_(to_be_had), Account.active)
            .group_by(Wish.account_id)
            .order_by(func.min(Wish.missed_at), Wish.account_id)
        )
        due = session.scalars(waiting.limit(AT_ONCE)).all()
    return sum(_told(account_id, now) for account_id in due) == AT_ONCE


def _told(account_id: int, now: datetime) -> bool:
    try:
        with own_transaction() as session:
            tell(session, account_id, now)
    except Exception:  # one that cannot be told must not hold up the others
        logger.exception("wish notice failed", extra={"account": account_id})
        _put_last(account_id, now)
        return False
    return True


def tell(session: Session, account_id: int, now: datetime) -> None:
    """One mail for all that is back for somebody; the mail and that it was told are one transaction."""
    missed = (Wish.account_id == account_id, Wish.missed_at.is_not(None))
    waiting = locks.for_update(select(Wish).where(*missed).order_by(Wish.article_id), of=Wish)
    wishes = {wish.article_id: wish for wish in session.scalars(waiting)}
    locks.checked()
    found = offers(session, wishes, local_day(now)).values()
    back = [offer.article for offer in found if not offer.missing(None, now)]
    if not back:  # another worker was here, or it is gone again
        return
    account = session.get_one(Account, account_id)
    rendered = mail.render("wish_back", farm=get_farm(session), first_name=account.first_name, articles=back)
    outbox.post(session, to=account.email, **rendered.parts, at=now)
    for article in back:
        wishes[article.id].missed_at = None


def _wished_by_anybody(session: Session, now: datetime) -> list[Offer]:
    ids = session.scalars(select(Wish.article_id).distinct()).all()
    return list(offers(session, ids, local_day(now)).values())


def _put_last(account_id: int, now: datetime) -> None:
    missed = (Wish.account_id == account_id, Wish.missed_at.is_not(None))
    with own_transaction() as session:
        session.execute(update(Wish).where(*missed).values(missed_at=now))
