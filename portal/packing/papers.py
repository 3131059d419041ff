"""The papers of a delivery as PDF files."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from portal.catalogue.queries import FormulaView
from portal.deliveries.queries import DeliveryState
from portal.infra import pdf
from portal.packing.changes import News
from portal.packing.harvest import HarvestList, Picking
from portal.packing.labels import SHEETS, Format, Label, labels, sheets
from portal.packing.models import Paper
from portal.packing.queries import Gone, Item, PackingList, Recipient, Stop
from portal.packing.rounds import RoundSheet, RoundStop
from portal.packing.words import (
    About,
    exclusion_words,
    given_words,
    gone_words,
    handed_words,
    news_words,
    so_much,
)
from portal.pickup.queries import PointView
from portal.settings import ROOT
from portal.web.filters import amount, clock, cutoff, day, day_short, day_year, number, unbroken
from portal.web.i18n import gettext as _
from portal.web.i18n import language, ngettext


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a paper is wanted: names cut short, the sheet of labels and where on it to begin."""

    short: bool = False
    format: Format = Format.S24
    start: int = 1

    @property
    def address(self) -> dict[str, str]:
        """As addresses say it; what is usual is left out."""
        said = {"noms": "courts" if self.short else "", "format": self.format, "debut": str(self.start)}
        return {name: value for name, value in said.items() if value not in {"", Format.S24, "1"}}


def file(paper: Paper, found: Any, about: About, wishes: Wishes) -> bytes:
    """A paper as a PDF file."""
    template, title, said = _FILES[paper](found, about, wishes)
    return pdf.render(template, tagged=False, **_frame(about, title), **said)


Made = tuple[str, str, dict[str, Any]]
"""A template, a title, and what is set."""


def _frame(about: About, title: str) -> dict[str, Any]:
    delivery, provisional = about.delivery, about.state is DeliveryState.OPEN
    until = cutoff(delivery.cutoff_at)
    return {
        "language": language(),
        "farm": about.farm.name,
        "title": f"{title}, {day(delivery.day)}",
        "name": title,
        "day": day_year(delivery.day),
        "tour": f"{delivery.tour_name}, {about.farm.name}",
        "provisional": provisional,
        "state": _("PROVISOIRE : les changements sont possibles jusqu'au %(moment)s", moment=until)
        if provisional
        else _("Liste arrêtée le %(moment)s", moment=until),
        "printed": about.dated,
        "gone": _gone(about.gone),
    }


def _gone(lines: Iterable[Gone], *, here: bool = False) -> str:
    names = [gone_words(gone, here=here) for gone in lines]
    return _("Retiré : %(names)s", names=" ; ".join(names)) if names else ""


def _packing(found: PackingList, about: About, wishes: Wishes) -> Made:
    counts = found.counts
    heads = [_("N°"), _("Nom"), _("Paniers et commandes") if counts.orders else _("Paniers"), _("Signature")]
    said = {
        "summary": _("Récapitulatif"),
        "heads": heads,
        "totals": _totals(found),
        "counts": _counts(found),
        "stops": [
            _stop(stop, about, wishes, totals=_totals(found, stop.point), corrections=True)
            for stop in found.stops
        ],
    }
    return "packing", _("Liste par point de retrait"), said


def _signatures(found: PackingList, about: About, wishes: Wishes) -> Made:
    said = {
        "heads": [_("N°"), _("Nom"), _("À prendre"), _("Signature")],
        "counts": None,
        "stops": [_stop(stop, about, wishes) for stop in found.stops],
    }
    return "packing", _("Émargement"), said


def _stop(
    stop: Stop, about: About, wishes: Wishes, *, totals: Any = None, corrections: bool = False
) -> dict[str, Any]:
    return {
        "name": stop.point.name,
        "hours": _hours(stop.point),
        "totals": totals,
        "exclusions": [exclusion_words(excluded, stop) for excluded in stop.exclusions] + given_words(stop)
        if totals
        else [],
        "gone": _gone((gone for gone in about.gone if gone.point_id == stop.point.id), here=True),
        "lines": [_line(r, about, wishes, corrections=corrections) for r in stop.recipients],
    }


def _line(recipient: Recipient, about: About, wishes: Wishes, *, corrections: bool) -> list[Any]:
    last, first = recipient.last_name, recipient.first_name
    if wishes.short:
        last, first = recipient.short_name, ""
    corrected = _("corrigé") if corrections and recipient.corrected else ""
    marks = about.marks(recipient.key, corrected, handed_words(recipient))
    name = " ".join(filter(None, (first, recipient.customer_number)))
    return [str(recipient.number), last, name, marks, _items(recipient.items), _orders(recipient)]


def _items(items: tuple[Item, ...]) -> list[list[Any]]:
    return [[item.quantity, *_mark(item.formula)] for item in items]


def _mark(formula: FormulaView) -> list[Any]:
    """The letter and the shape that stand for a formula, then its name."""
    return [formula.short_name[0], formula.position % 4, formula.short_name]


def _orders(recipient: Recipient) -> list[str]:
    plus = "+ " if recipient.items else ""
    return [
        plus
        + _("commande %(number)s", number=bag.number)
        + ngettext(" : un produit", " : %(n)s produits", len(bag.portions))
        + (", " + _("règle ici") if bag.guest else "")
        for bag in recipient.orders
    ]


def _totals(found: PackingList, point: PointView | None = None) -> list[Any]:
    counts = found.counts
    sums = ((formula, counts.tally.count(formula=formula, point=point)) for formula in counts.formulas)
    orders = counts.orders.get(point.id, 0) if point else sum(counts.orders.values())
    return [
        [[number(boxes), *_mark(formula)] for formula, boxes in sums if boxes],
        ngettext("%(n)s commande", "%(n)s commandes", orders) if orders else "",
    ]


def _counts(found: PackingList) -> dict[str, Any]:
    counts = found.counts
    tally, ordered = counts.tally, counts.orders
    heads = [_("Point de retrait"), *(formula.short_name for formula in counts.formulas), _("Total")]
    rows = [
        [
            point.name,
            *(_so_many(tally.count(formula=formula, point=point)) for formula in counts.formulas),
            _so_many(tally.count(point=point)),
        ]
        for point in counts.points
    ]
    sums = [_("Total"), *(_so_many(tally.count(formula=f)) for f in counts.formulas), _so_many(tally.count())]
    if ordered:
        heads.append(_("Commandes"))
        for row, point in zip(rows, counts.points, strict=True):
            row.append(_so_many(ordered.get(point.id, 0)))
        sums.append(_so_many(sum(ordered.values())))
    return {"heads": heads, "rows": rows, "sums": sums}


def _so_many(boxes: int) -> str:
    return number(boxes) if boxes else "–"


def _harvest(found: HarvestList, about: About, _wishes: Wishes) -> Made:
    notes = []
    if found.unwritten:
        names = ", ".join(formula.name for formula in found.unwritten)
        notes.append(_("Pas encore composé, donc pas dans cette liste : %(formulas)s.", formulas=names))
    if found.drafts:
        names = ", ".join(formula.name for formula in found.drafts)
        notes.append(_("Encore en brouillon : %(formulas)s.", formulas=names))
    heads = [_("Produit"), _("Quantité"), _("Parcelle"), _("Outil"), _("Caisse"), _("Rangement")]
    lines = [_picked(picking, about) for picking in found.pickings]
    return "harvest", _("Récolte"), {"heads": heads, "lines": lines, "notes": notes}


def _picked(picking: Picking, about: About) -> list[Any]:
    crop = picking.crop
    parts = ", ".join(
        f"{part.boxes} × {amount(part.amount, crop.unit)} {part.formula.short_name}" for part in picking.parts
    )
    if picking.ordered:
        ordered = _("commandes : %(amount)s", amount=so_much(crop, picking.ordered))
        parts = f"{parts} + {ordered}" if parts else ordered
    if crop.margin:
        parts += ", " + _("marge de %(margin)s %%", margin=crop.margin)
    return [
        _drawings().get(crop.drawing, _drawings()["leaf"]),
        crop.name,
        parts,
        about.marks(picking.key),
        so_much(crop, picking.total),
        *(unbroken(said or "") for said in (crop.parcel, crop.tool, crop.crate, crop.kept_in)),
    ]


def _round(found: RoundSheet, about: About, _wishes: Wishes) -> Made:
    said = {
        "heads": [_("Arrêt"), _("Où"), _("À décharger")],
        "stops": [_called(stop, about) for stop in found.stops],
        "loading": _("Chargement : le dernier arrêt d'abord"),
        "load": [f"{stop.stop.point.name} : {_loaded(stop)}" for stop in found.loading],
    }
    return "round", _("Feuille de route"), said


def _called(stop: RoundStop, about: About) -> dict[str, Any]:
    point, reception = stop.stop.point, stop.reception
    runs = (str(first) if first == last else f"{first} {_('à')} {last}" for first, last in stop.numbers)
    lines = (
        f"{point.address}, {point.postcode} {point.town}",
        _hours(point),
        " ".join(filter(None, (reception.contact, reception.phone))),
        reception.driver_note,
    )
    return {
        "name": point.name,
        "marks": about.marks(stop.key),
        "lines": [line for line in lines if line],
        "loads": [
            [_items((load.item,))[0], _crates(load.crates) if load.crates else ""] for load in stop.loads
        ],
        "orders": ngettext("%(n)s commande", "%(n)s commandes", stop.orders) if stop.orders else "",
        "numbers": f"{_('N°')} {', '.join(runs)}",
    }


def _loaded(stop: RoundStop) -> str:
    said = (
        _crates(stop.crates) if stop.crates else "",
        ngettext("%(n)s panier", "%(n)s paniers", stop.boxes) if stop.boxes else "",
        ngettext("%(n)s commande", "%(n)s commandes", stop.orders) if stop.orders else "",
    )
    return ", ".join(filter(None, said))


def _crates(n: int) -> str:
    return ngettext("%(n)s caisse", "%(n)s caisses", n)


def _labels(found: PackingList, about: About, wishes: Wishes) -> Made:
    sheet = SHEETS[wishes.format]
    said = {
        "columns": sheet.columns,
        "width": sheet.width,
        "height": sheet.height,
        "top": sheet.top,
        "left": sheet.left,
        "pitch": sheet.pitch,
        "sheets": [
            [_label(label, about) if label else None for label in placed]
            for placed in sheets(labels(found), sheet, wishes.start)
        ],
    }
    return "labels", _("Étiquettes"), said


def _label(label: Label, about: About) -> list[Any]:
    recipient = label.recipient
    plus = "+ " if label.formula else ""
    return [
        str(recipient.number),
        f"{label.place}/{label.of}" if label.of > 1 else "",
        label.point.name,
        recipient.last_name,
        recipient.first_name,
        _mark(label.formula) if label.formula else None,
        plus + ", ".join(_("commande %(number)s", number=bag.number) for bag in label.orders)
        if label.orders
        else "",
        day_short(about.delivery.day),
        about.marks(recipient.key, _("soin particulier") if recipient.beginner else ""),
        ", ".join(map(exclusion_words, label.exclusions)),
    ]


def news_file(found: News, about: About) -> bytes:
    """What has changed since each person's box before, as a PDF file."""
    stops = [
        {
            "name": point.name,
            "hours": _hours(point),
            "lines": [
                [person.last_name, person.first_name, [news_words(change) for change in person.changes]]
                for person in concerned
            ],
        }
        for point, concerned in found.stops
    ]
    heads = [_("Nom"), _("Ce qui change")]
    frame = _frame(about, _("Ce qui change"))
    return pdf.render("news", tagged=False, **frame, heads=heads, stops=stops)


def _hours(point: PointView) -> str:
    return _("de %(opens)s à %(closes)s", opens=clock(point.opens), closes=clock(point.closes))


@cache
def _drawings() -> dict[str, str]:
    """The farm's drawings by name, each on its own, the ink without its colours."""
    sprite = (ROOT / "static" / "drawings.svg").read_text()
    found = re.findall(r'<symbol id="([^"]+)" (viewBox="[^"]+")>(.*?)</symbol>', sprite, re.DOTALL)
    ink = 'fill="none" stroke="#000" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
    return {
        name: f'<svg xmlns="http://www.w3.org/2000/svg" {box} {ink}>'
        + re.sub(r'<g stroke="none">.*?</g>', "", drawn, flags=re.DOTALL)
        + "</svg>"
        for name, box, drawn in found
    }


_FILES: Mapping[Paper, Callable[[Any, About, Wishes], Made]] = {
    Paper.HARVEST: _harvest,
    Paper.PACKING: _packing,
    Paper.LABELS: _labels,
    Paper.ROUND: _round,
    Paper.SIGNATURES: _signatures,
}
