"""The signed link by which a guest follows an order."""

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer


def order_token(order_id: int) -> str:
    return _signer().dumps(order_id)


def order_of_token(token: str) -> int | None:
    """The order that a link is for; None for what we never wrote."""
    try:
        order_id = _signer().loads(token)
    except BadSignature:
        return None
    return order_id if isinstance(order_id, int) else None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="order")
