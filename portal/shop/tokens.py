"""The signed link by which a guest follows an order."""

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from portal.infra.mail import link


def order_token(order_id: int) -> str:
    return _signer().dumps(order_id)


def order_of_token(token: str) -> int | None:
    """The order that a link is for; None for what we never wrote."""
    try:
        order_id = _signer().loads(token)
    except BadSignature:
        return None
    return order_id if isinstance(order_id, int) else None


def order_link(order_id: int, account_id: int | None) -> str:
    """Where whoever has ordered follows it: a full address, for mails."""
    if account_id is not None:
        return link("member.order", order_id=order_id)
    return link("public.guest_order", order_token=order_token(order_id))


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="order")
