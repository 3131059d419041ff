"""Who is ordering: somebody who is signed in, or a visitor."""

from flask_login import current_user

from portal.infra.orm import db
from portal.shop.drafts import Draft, Keeper, keeper
from portal.shop.vouchers import Person


def buyer() -> Person:
    """A guest's address is not known before the order is placed."""
    if not current_user.is_authenticated:
        return Person(None, None)
    return Person(current_user.id, current_user.email)


def own_draft() -> Draft:
    """What is in the order so far."""
    return own_keeper().read()


def own_keeper() -> Keeper:
    return keeper(db.session(), buyer().account_id)
