"""Orders as their own pages show them."""

from sqlalchemy import select

from portal.infra.outbox import Mail
from portal.shop.models import Order, OrderLine

LEGAL = "Commander avec obligation de paiement"


def signed_in(browser, email):
    browser.sign_in(email)
    browser.get("/mon-compte")  # a page with a form
    return browser


def state(session, order_id):
    session.expire_all()
    found = session.get(Order, order_id).state
    session.rollback()
    return found


def quantities(session, order_id):
    lines = select(OrderLine.name, OrderLine.quantity).where(OrderLine.order_id == order_id)
    found = dict(session.execute(lines.order_by(OrderLine.id)).all())
    session.rollback()
    return found


def mails(session):
    found = list(session.scalars(select(Mail).order_by(Mail.id)))
    session.expunge_all()
    session.rollback()
    return found
