"""The papers of a delivery: on screen, as PDF, and noted version by version as they are printed."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.routing import BaseConverter

from portal.deliveries.queries import DeliveryView, find
from portal.farm import blueprint, staff
from portal.infra import clock, pdf
from portal.infra.orm import db
from portal.packing import papers, prints, words
from portal.packing.changes import news
from portal.packing.harvest import harvest_list
from portal.packing.labels import SHEETS, Format, labels, sheets
from portal.packing.models import Paper
from portal.packing.papers import Wishes
from portal.packing.queries import PackingList, gone_lines, packing_list
from portal.packing.rounds import round_sheet
from portal.profile.queries import get_farm
from portal.rules.permissions import Permission
from portal.web.guards import needs

logger = logging.getLogger(__name__)

OF_DELIVERY = "/livraisons/<date:day>/<tour>"
SLUGS = {
    Paper.HARVEST: "recolte",
    Paper.PACKING: "liste",
    Paper.LABELS: "etiquettes",
    Paper.ROUND: "tournee",
    Paper.SIGNATURES: "emargement",
}
PAGES = {
    Paper.HARVEST: "print/harvest.html",
    Paper.PACKING: "print/packing.html",
    Paper.LABELS: "print/labels.html",
    Paper.ROUND: "print/round.html",
    Paper.SIGNATURES: "print/signatures.html",
}
READ: Mapping[Paper, Callable[[Session, DeliveryView], Any]] = {
    Paper.HARVEST: harvest_list,
    Paper.PACKING: packing_list,
    Paper.LABELS: packing_list,
    Paper.ROUND: round_sheet,
    Paper.SIGNATURES: packing_list,
}


class PaperConverter(BaseConverter):
    """A paper by its French name."""

    regex = f"(?:{'|'.join(SLUGS.values())})"

    def to_python(self, value: str) -> Paper:
        return next(paper for paper, slug in SLUGS.items() if slug == value)

    def to_url(self, value: Any) -> str:
        return SLUGS[Paper(value)]


@blueprint.record_once
def _convert(setup: BlueprintSetupState) -> None:
    setup.app.url_map.converters["paper"] = PaperConverter


@blueprint.get(f"{OF_DELIVERY}/<paper:paper>")
@needs(Permission.LOOK)
def paper(day: date, tour: str, paper: Paper) -> ResponseReturnValue:
    return _page(_delivery_or_404(day, tour), paper)


@blueprint.get(f"{OF_DELIVERY}/<paper:paper>.pdf")
@needs(Permission.LOOK)
def paper_file(day: date, tour: str, paper: Paper) -> ResponseReturnValue:
    delivery = _delivery_or_404(day, tour)
    found = READ[paper](db.session(), delivery)
    make = partial(papers.file, paper, found, _about(delivery, paper, found), _wishes())
    page = url_for("farm.paper", sans_pdf="oui", **_where(delivery, paper))
    return _file(SLUGS[paper], delivery, make, page)


@blueprint.post(f"{OF_DELIVERY}/<paper:paper>/impression")
@needs(Permission.PACK)
def print_paper(day: date, tour: str, paper: Paper) -> ResponseReturnValue:
    """Note the version that goes to the printer, then show it."""
    session, delivery = db.session(), _delivery_or_404(day, tour)
    prints.hold(session, delivery.id)
    found = READ[paper](session, delivery)
    if found.empty:
        return make_response(_page(delivery, paper), 422)
    prints.record(session, delivery.id, paper, found.entries, by=staff().id)
    where = _where(delivery, paper)
    if "pdf" in request.form:
        return redirect(url_for("farm.paper_file", **where), 303)
    return redirect(url_for("farm.paper", imprimer="oui", **where), 303)


@blueprint.get(f"{OF_DELIVERY}/nouveautes")
@needs(Permission.LOOK)
def delivery_news(day: date, tour: str) -> ResponseReturnValue:
    """What has changed since each person's box before."""
    delivery = _delivery_or_404(day, tour)
    return render_template(
        "print/news.html",
        delivery=delivery,
        list=news(db.session(), delivery),
        words=words.news_words,
        **_unnoted(delivery).context,
    )


@blueprint.get(f"{OF_DELIVERY}/nouveautes.pdf")
@needs(Permission.LOOK)
def delivery_news_file(day: date, tour: str) -> ResponseReturnValue:
    delivery = _delivery_or_404(day, tour)
    make = partial(papers.news_file, news(db.session(), delivery), _unnoted(delivery))
    page = url_for("farm.delivery_news", day=day, tour=tour, sans_pdf="oui")
    return _file("nouveautes", delivery, make, page)


def _file(name: str, delivery: DeliveryView, make: Callable[[], bytes], page: str) -> ResponseReturnValue:
    """Whatever typst stumbles over, the shed has its paper: the page prints the same."""
    try:
        body = make()
    except Exception:
        logger.exception("paper not set", extra={"paper": name, "delivery": delivery.id})
        return redirect(page, 303)
    disposition = f'inline; filename="{name}-{delivery.day}-{delivery.tour_slug}.pdf"'
    return Response(body, mimetype=pdf.CONTENT_TYPE, headers={"Content-Disposition": disposition})


def _page(delivery: DeliveryView, paper: Paper) -> str:
    found, wishes = READ[paper](db.session(), delivery), _wishes()
    sheet = SHEETS[wishes.format]
    return render_template(
        PAGES[paper],
        delivery=delivery,
        paper=paper,
        list=found,
        wishes=wishes,
        where=_where(delivery, paper),
        formats=SHEETS,
        sheets=sheets(labels(found), sheet, wishes.start) if paper is Paper.LABELS else (),
        so_much=words.so_much,
        exclusion_words=words.exclusion_words,
        handed_words=words.handed_words,
        given_words=words.given_words,
        gone_words=words.gone_words,
        printing="imprimer" in request.args,
        **_about(delivery, paper, found).context,
    )


def _where(delivery: DeliveryView, paper: Paper) -> dict[str, Any]:
    return {"day": delivery.day, "tour": delivery.tour_slug, "paper": paper, **_wishes().address}


def _about(delivery: DeliveryView, paper: Paper, found: Any) -> words.About:
    standing = prints.standing(db.session(), delivery.id, paper, found.entries)
    gone = gone_lines(db.session(), standing, found.stops if isinstance(found, PackingList) else ())
    return replace(_unnoted(delivery), standing=standing, gone=gone)


def _unnoted(delivery: DeliveryView) -> words.About:
    now = clock.now()
    return words.About(delivery, delivery.state(now), get_farm(db.session()), now)


def _wishes() -> Wishes:
    """As the address or the form says; what is no wish of ours is the usual one."""
    try:
        wanted = Format(request.values.get("format", ""))
    except ValueError:
        wanted = Format.S24
    start = request.values.get("debut", "1")
    places = range(1, SHEETS[wanted].labels + 1)
    begun = int(start) if start.isascii() and start.isdigit() and len(start) < 3 else 1
    return Wishes(request.values.get("noms") == "courts", wanted, begun if begun in places else 1)


def _delivery_or_404(day: date, tour: str) -> DeliveryView:
    return find(db.session(), day, tour) or abort(404)
