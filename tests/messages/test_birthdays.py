"""A voucher on somebody's birthday: theirs alone, once a year."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.infra.outbox import Mail
from portal.messages.birthdays import SETTLED, give_birthday_gifts, keys_of
from portal.messages.models import BirthdayGift
from portal.profile.models import FarmProfile
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.vouchers import VoucherRefusal
from portal.shop import issuing
from portal.shop.models import Voucher
from portal.shop.vouchers import Person, reduction
from tests import world
from tests.accounts.people import account_of
from tests.privacy.filling import somebody
from tests.shop.making import article, order
from tests.world import NOW


@pytest.mark.parametrize(
    ("day", "keys"),
    [
        (date(2026, 6, 1), [601]),
        (date(2026, 2, 28), [228, 229]),
        (date(2028, 2, 28), [228]),
        (date(2028, 2, 29), [229]),
    ],
)
def test_who_was_born_on_29_february_has_a_birthday_every_year(day: date, keys: list[int]) -> None:
    assert keys_of(day) == keys


def test_each_gets_a_voucher_of_their_own_once_a_year(
    session: Session, clock: time_machine.Traveller
) -> None:
    camille, yacine, staff = (account_of(session, who) for who in (world.CAMILLE, world.YACINE, world.STAFF))
    camille.birthday, yacine.birthday, staff.birthday = 610, 604, 603
    account_of(session, world.ADMIN).birthday = 611
    session.commit()
    give_birthday_gifts()
    assert session.scalars(select(Voucher)).all() == [], "the farm gives none"
    session.get_one(FarmProfile, 1).birthday_gift = Money(500)
    session.commit()
    stranger = somebody(session)
    stranger.birthday, camille.created_at = 610, NOW
    session.commit()
    give_birthday_gifts()
    assert [gift.account_id for gift in session.scalars(select(BirthdayGift))] == [yacine.id], (
        "she is too new"
    )
    session.execute(delete(BirthdayGift))
    camille.created_at = NOW - SETTLED * 2
    session.commit()
    for _ in range(2):
        give_birthday_gifts()
    gifts = session.scalars(select(BirthdayGift).order_by(BirthdayGift.account_id)).all()
    assert [(gift.account_id, gift.year) for gift in gifts] == [(camille.id, 2026), (yacine.id, 2026)]
    order(session, {article(session): 1}, email=stranger.email, state=OrderState.DELIVERED)
    session.commit()
    give_birthday_gifts()
    assert session.get(BirthdayGift, (stranger.id, 2026)), "an order that was delivered will do"
    voucher = session.scalars(select(Voucher).where(Voucher.account_id == camille.id)).one()
    mail = session.scalars(select(Mail).where(Mail.recipient == world.CAMILLE)).one()
    assert mail.text and voucher.code in mail.text and mail.unsubscribe is None
    assert issuing.vouchers(session) == [], "staff's list holds what anybody may use"
    asked: dict[str, Any] = {"total": Money(2000), "day": world.TODAY}
    own = reduction(session, voucher.code, person=Person(camille.id, camille.email), **asked)
    assert (own.refusal, own.off) == (None, Money(500))
    for other in (Person(yacine.id, yacine.email), Person(None, camille.email)):
        refused = reduction(session, voucher.code, person=other, **asked)
        assert (refused.refusal, refused.off) == (VoucherRefusal.UNKNOWN, Money.zero())
    camille.active = False
    camille.birthday = 612
    session.commit()
    clock.move_to(datetime(2027, 6, 11, 8, tzinfo=UTC))
    give_birthday_gifts()
    session.expire_all()
    assert [gift.year for gift in session.scalars(select(BirthdayGift)) if gift.account_id == camille.id] == [
        2026
    ]
