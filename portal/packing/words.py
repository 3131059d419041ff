"""What the papers of a delivery say, on their pages and in their files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.compositions.queries import ExclusionView
from portal.deliveries.queries import DeliveryState, DeliveryView
from portal.packing.changes import Change, What
from portal.packing.harvest import Amount, Crop
from portal.packing.prints import Standing
from portal.packing.queries import Gone, Item, Recipient, Stop
from portal.profile.queries import Farm
from portal.rules.cutoffs import local_day
from portal.web.filters import amount, clock, day, moment
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext


@dataclass(frozen=True, slots=True)
class About:
    """What every page of a paper says of itself."""

    delivery: DeliveryView
    state: DeliveryState
    farm: Farm
    now: datetime
    standing: Standing | None = None
    """Nothing for what is not noted when it is printed."""
    gone: tuple[Gone, ...] = ()

    @property
    def version(self) -> str:
        """« Version 2, imprimée mardi 9 juin à 7 h 12 ; 3 changements depuis »"""
        standing = self.standing
        if not standing:
            return ""
        if not standing.at:
            return _("Pas encore imprimée")
        said = _(
            "Version %(number)s, imprimée %(day)s à %(hour)s",
            number=standing.number,
            day=day(local_day(standing.at)),
            hour=clock(standing.at),
        )
        return f"{said} ; {_changes(standing)}" if standing.since else said

    @property
    def dated(self) -> str:
        """As the head says it: the version, once that is what one sees."""
        if not self.standing:
            return _("Imprimée le %(moment)s", moment=moment(self.now))
        if self.standing.current:
            return self.version
        state = _("État au %(moment)s", moment=moment(self.now))
        return f"{state}. {self.version}" if self.standing.at else state

    @property
    def context(self) -> dict[str, Any]:
        """For the page of the paper."""
        return {
            "state": self.state,
            "now": self.now,
            "standing": self.standing,
            "version": self.version,
            "dated": self.dated,
            "gone": self.gone,
        }

    def marks(self, key: str, *more: str) -> list[str]:
        """The words beside a line: what it has become since it was printed, then what else is to be known."""
        mark = self.standing.mark(key) if self.standing else ""
        return [*([str(MARKS[mark])] if mark else []), *filter(None, more)]


def _changes(standing: Standing) -> str:
    if standing.current:
        return ngettext(
            "un changement depuis la version %(version)s",
            "%(n)s changements depuis la version %(version)s",
            standing.changes,
            version=standing.since,
        )
    return ngettext("un changement depuis", "%(n)s changements depuis", standing.changes)


MARKS = {"new": _l("nouveau"), "changed": _l("modifié")}


def so_much(crop: Crop, found: Amount) -> str:
    """« 12 kg », « 8 bottes »; of what is weighed and counted, both."""
    pieces = amount(found.pieces, "bunch" if crop.unit == "bunch" else "piece") if found.pieces else ""
    return " + ".join(filter(None, (amount(found.grams, "g") if found.grams else "", pieces)))


def exclusion_words(excluded: ExclusionView, stop: Stop | None = None) -> str:
    """« Petit : sans Carottes → Navets 500 g »; a label says for itself what its box is."""
    without = _("sans %(product)s", product=excluded.product.name)
    if excluded.instead:
        without += f" → {excluded.instead.name} {amount(excluded.amount or 0, excluded.instead.unit)}"
    items = (item for recipient in stop.recipients for item in recipient.items) if stop else ()
    named = next((item.formula.short_name for item in items if item.formula.id == excluded.formula_id), "")
    return f"{named} : {without}" if named else without


def gone_words(gone: Gone, *, here: bool = False) -> str:
    """« Aubert Camille (Halle de Serres → Gare de Veynes) »; at the point that was left, only where to and what."""
    if not here:
        way = " → ".join(filter(None, (gone.point, gone.to)))
        return f"{gone.name} ({way})" if way else gone.name
    if not gone.now:
        return gone.name
    orders = (_("commande %(number)s", number=bag.number) for bag in gone.now.orders)
    return f"{gone.name} → {gone.to} : {', '.join(filter(None, (_named(gone.now.items), *orders)))}"


def handed_words(recipient: Recipient) -> str:
    """To whom it goes instead, beside the name."""
    handed = recipient.handed
    if not handed:
        return ""
    if handed.given:
        return _("panier donné")
    return _("retiré par %(name)s, code %(code)s", name=handed.name, code=handed.code)


def given_words(stop: Stop) -> list[str]:
    return [
        ngettext("Dont un panier donné à %(name)s", "Dont %(n)s paniers donnés à %(name)s", boxes, name=name)
        for name, boxes in stop.given.items()
    ]


NEWS = {
    What.FIRST: _l("● Première livraison : %(now)s"),
    What.SECOND: _l("● Deuxième livraison : %(now)s"),
    What.BACK: _l("← De retour : %(now)s (dernier panier %(day)s)"),
    What.ADDED: _l("+ En plus : %(now)s"),
    What.BOX: _l("≠ Autre panier : %(now)s au lieu de %(before)s"),
    What.QUANTITY: _l("≠ Autre quantité : %(now)s au lieu de %(before)s"),
    What.POINT: _l("→ Autre point : %(now)s (avant : %(place)s)"),
    What.ABSENT: _l("✕ Absent·e cette fois : %(before)s"),
    What.ENDED: _l("✕ A arrêté : %(before)s"),
}


def news_words(change: Change) -> str:
    """« ≠ Autre quantité : 2 × Grand au lieu de 1 × Grand »"""
    return str(NEWS[change.what]) % {
        "now": _named(change.now),
        "before": _named(change.before),
        "day": day(change.day) if change.day else "",
        "place": change.place,
    }


def _named(items: tuple[Item, ...]) -> str:
    return ", ".join(f"{item.quantity} × {item.formula.short_name}" for item in items)
