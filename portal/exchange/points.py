"""Pickup points from a table: known by their name and their tour."""

from collections.abc import Mapping

from sqlalchemy import select

from portal.deliveries.queries import TourView, tours
from portal.exchange.columns import Column, clock, one_of, phone, postcode
from portal.exchange.lines import BadLine, Context, Values, Verdict, Written, needs
from portal.pickup import services
from portal.pickup.models import PickupPoint
from portal.rules.alphabet import slug_of
from portal.web.forms import degrees, line, prose, whole
from portal.web.i18n import gettext as _

_KEPT = ("opens", "closes", "capacity")
"""What `change_point` and the check of the hours want to know in any case."""


def _columns(tours: Mapping[str, TourView]) -> tuple[Column, ...]:
    return (
        Column("name", ("Nom", "Point", "Point de retrait", "Name"), line(120), "Halle de Serres", needed=True),
        Column("tour", ("Tournée", "Tour", "Round"), one_of(tours), "mardi", needed=True),
        Column("address", ("Adresse", "Rue", "Address", "Street"), line(200), "3 place de la Halle", needed=True),
        Column("postcode", ("Code postal", "CP", "Postcode", "Zip"), postcode, "05700", needed=True),
        Column("town", ("Commune", "Ville", "Town", "City"), line(80), "Serres", needed=True),
        Column("latitude", ("Latitude", "Lat"), degrees(90), "44,4281", needed=True),
        Column("longitude", ("Longitude", "Lon", "Lng"), degrees(180), "5,7151", needed=True),
        Column("opens", ("Ouvre à", "Ouverture", "De", "Opens"), clock, "16:30", needed=True),
        Column("closes", ("Ferme à", "Fermeture", "À", "Closes"), clock, "19:00", needed=True),
        Column("access", ("Accès", "Access"), prose(1000), "Sous la halle, à gauche.", needed=True),
        Column("capacity", ("Places", "Capacité", "Capacity"), whole(0, 10_000), "40", needed=True),
        Column("contact", ("Contact",), line(120), "Dominique Petit"),
        Column("phone", ("Téléphone", "Tél", "Phone"), phone, "06 12 34 56 78"),
        Column("driver_note", ("Note de livraison", "Driver note"), prose(500), ""),
    )  # fmt: skip


class Writer:
    keys = (("name", "tour"),)

    def __init__(self, context: Context) -> None:
        self._context = context
        every = tours(context.session)
        self.columns = _columns({tour.slug: tour for tour in every} | {tour.name: tour for tour in every})

    def write(self, values: Values) -> Written:
        """What is empty stays as it is."""
        for key in ("name", "tour"):
            if key not in values:
                raise BadLine(key, _("à remplir."))
        wanted = {**values, "tour_id": values["tour"].id}
        del wanted["tour"]
        point = self._find(wanted["name"], wanted["tour_id"])
        kept = {column: getattr(point, column) for column in _KEPT} if point else {}
        self._check_hours(kept | wanted)
        session, at, by = self._context.session, self._context.at, self._context.by
        if point is None:
            needs(self.columns, values)
            services.add_point(session, wanted, at=at, by=by)
            return Written(Verdict.CREATED)
        del wanted["name"]  # written with other accents it is the same point
        changed = services.change_point(session, point.id, kept | wanted, in_use=lambda: True, at=at, by=by)
        return Written(Verdict.CHANGED if changed else Verdict.UNCHANGED)

    def _check_hours(self, values: Values) -> None:
        if {"opens", "closes"} <= set(values) and values["opens"] >= values["closes"]:
            raise BadLine("closes", _("après l'heure d'ouverture."))

    def _find(self, name: str, tour_id: int) -> PickupPoint | None:
        of_tour = select(PickupPoint).where(PickupPoint.tour_id == tour_id).order_by(PickupPoint.id)
        found = (p for p in self._context.session.scalars(of_tour) if slug_of(p.name) == slug_of(name))
        return next(found, None)
