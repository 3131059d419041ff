"""Reading the farm's card."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.profile.models import FarmProfile


@dataclass(frozen=True, slots=True)
class Farm:
    """The farm as pages, mails and papers name it."""

    name: str
    tagline: str
    email: str
    phone: str
    phone_hours: str
    address: str
    postcode: str
    town: str

    @property
    def phone_link(self) -> str:
        return "tel:+33" + "".join(c for c in self.phone if c.isdigit()).removeprefix("0")


NO_FARM = Farm("Votre ferme", "", "", "", "", "", "", "")
"""Before the farm has filled in its profile."""


def get_farm(session: Session) -> Farm:
    profile = session.scalar(select(FarmProfile))
    if profile is None:
        return NO_FARM
    return Farm(
        name=profile.name,
        tagline=profile.tagline,
        email=profile.email,
        phone=profile.phone,
        phone_hours=profile.phone_hours,
        address=profile.address,
        postcode=profile.postcode,
        town=profile.town,
    )
