"""The states of an order, and who may bring it from one to another."""

from enum import StrEnum


class OrderState(StrEnum):
    """Placed, then accepted or refused, prepared, delivered; or cancelled."""

    PLACED = "placed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    PREPARED = "prepared"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
