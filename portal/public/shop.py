"""The shop: its shelves, and each article with all that is to be known before it is bought."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from portal.catalogue.articles import offer_named, on_sale
from portal.infra import clock
from portal.infra.orm import db
from portal.public import blueprint
from portal.public.buyers import buyer, own_draft
from portal.rules.alphabet import finds, french_order
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.shop import shelves
from portal.shop.shelves import Item, Visit
from portal.shop.wishes import wished_by
from portal.web.htmx import is_htmx

SORTS = ("rayon", "nom", "prix")
"""As addresses name them."""
MOST_TYPED = 80
BESIDE = 4
"""How many articles of the same shelf are shown below one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for, as the address says it; what no page of ours sends counts as nothing."""

    text: str
    shelf: str
    in_season: bool
    wished: bool
    sort: str

    @classmethod
    def read(cls, sent: MultiDict[str, str]) -> "Wanted":
        sort = sent.get("tri", "")
        return cls(
            text=sent.get("q", "").strip()[:MOST_TYPED],
            shelf=sent.get("rayon", ""),
            in_season=sent.get("saison") == "oui",
            wished=sent.get("envies") == "oui" and current_user.is_authenticated,
            sort=sort if sort in SORTS else SORTS[0],
        )

    def address(self, shelf: str = "") -> str:
        """The same on another shelf, or on all."""
        said: dict[str, Any] = {
            "q": self.text,
            "rayon": shelf,
            "saison": "oui" if self.in_season else "",
            "envies": "oui" if self.wished else "",
            "tri": "" if self.sort == SORTS[0] else self.sort,
        }
        return url_for("public.shop", **{name: value for name, value in said.items() if value})

    @property
    def filters(self) -> dict[str, "Wanted"]:
        """What was ticked, and what is looked for without it."""
        without = {"in_season": replace(self, in_season=False), "wished": replace(self, wished=False)}
        return {name: other for name, other in without.items() if other != self}

    def rank(self, item: Item) -> tuple[bool, bool]:
        """What is called like that comes before what is named after its maker, its kind or its shelf."""
        name = item.article.name
        return not finds(self.text, name.split()[0]), not finds(self.text, name)

    def has(self, item: Item) -> bool:
        article = item.article
        return (
            (article.category_slug == self.shelf or not self.shelf)
            and (item.in_season or not self.in_season)
            and (item.wished or not self.wished)
            and finds(
                self.text, article.name, article.variety or "", article.category, article.supplier or ""
            )
        )


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category of what is sold."""

    slug: str
    name: str
    drawing: str


@blueprint.get("/boutique")
def shop() -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    visit, wanted = _visit(session, now), Wanted.read(request.args)
    on_shelves = _items(session, visit)
    shown = [it for it in on_shelves if wanted.has(it)]
    return render_template(
        "public/shop/_stalls.html" if is_htmx() else "public/shop/page.html",
        visit=visit,
        wanted=wanted,
        shelves=_shelves(on_shelves),
        stalls=_stalls(shown, wanted),
        hiding=[] if shown else _hiding(on_shelves, wanted),
        shown=len(shown),
        empty_shop=not on_shelves,
        certified=any(it.article.certified for it in on_shelves),
    )


@blueprint.get("/boutique/<article_slug>")
def article(article_slug: str) -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    visit = _visit(session, now)
    on_shelves = _items(session, visit)
    shown = next((it for it in on_shelves if it.article.slug == article_slug), None)
    if shown is None:  # what is not sold any more stands on no shelf, and old orders name it
        offer = offer_named(session, article_slug, local_day(now), delivery_id=visit.delivery_id)
        if offer is None or offer.article.price is None:
            abort(404)
        shown = visit.item(offer)
    shelf = shown.article.category_slug
    beside = [it for it in on_shelves if it.article.category_slug == shelf and it is not shown]
    return render_template(
        "public/shop/article.html",
        visit=visit,
        item=shown,
        beside=sorted(beside, key=lambda it: it.missing is not None)[:BESIDE],
    )


def _visit(session: Session, now: datetime) -> Visit:
    return shelves.visit(session, own_draft(), buyer(), now)


def _items(session: Session, visit: Visit) -> list[Item]:
    """All that is on sale, shelf by shelf."""
    wishes = wished_by(current_user.id) if current_user.is_authenticated else None
    found = on_sale(session, local_day(visit.now), delivery_id=visit.delivery_id, picked=wishes)
    return [visit.item(offer) for offer in found]


def _shelves(items: Iterable[Item]) -> list[Shelf]:
    articles = (it.article for it in items)
    return list(dict.fromkeys(Shelf(a.category_slug, a.category, a.category_drawing) for a in articles))


def _hiding(items: Iterable[Item], wanted: Wanted) -> list[tuple[str, int, str]]:
    """Which box that was ticked hides how much, and the address without it."""
    found = (
        (name, sum(without.has(it) for it in items), without.address(wanted.shelf))
        for name, without in wanted.filters.items()
    )
    return [hiding for hiding in found if hiding[1]]


def _stalls(items: Sequence[Item], wanted: Wanted) -> list[tuple[str | None, list[Item]]]:
    """Shelf by shelf with its name, or all in one row; what can be had stands first on its shelf.

    What was looked for by its name stands in one row, the nearest first.
    """
    sort = wanted.sort
    by_name = sorted(items, key=lambda it: french_order(it.article.name))
    if sort == "nom":
        return [(None, by_name)] if by_name else []
    if sort == "prix":
        return [(None, sorted(by_name, key=_price))] if by_name else []
    names = {it.article.category_slug: it.article.category for it in items}
    places = {slug: place for place, slug in enumerate(names)}
    stalls = sorted(by_name, key=lambda it: (places[it.article.category_slug], it.missing is not None))
    if wanted.text:
        return [(None, sorted(stalls, key=wanted.rank))] if stalls else []
    return [
        (names[slug], list(stall)) for slug, stall in groupby(stalls, key=lambda it: it.article.category_slug)
    ]


def _price(item: Item) -> Money:
    return item.article.price or Money.zero()
