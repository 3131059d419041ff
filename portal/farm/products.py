"""What the shop sells: the list, and each product's page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.catalogue import services
from portal.catalogue.articles import Offer, every_article
from portal.catalogue.models import Article, NotOnTour
from portal.catalogue.queries import categories, product_names, remaining_of, suppliers
from portal.deliveries.queries import DeliveryView, tours, upcoming
from portal.farm import blueprint, staff
from portal.farm.product_forms import ArticleForm, NewArticleForm, PriceForm
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.alphabet import finds
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.rules.selling import Missing, StockKind, is_low
from portal.shop.queries import is_awaited
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _

ADDRESS = "/produits/<id:article_id>"
COUNTED_AHEAD = timedelta(weeks=4)

F = TypeVar("F", bound=ArticleForm)


class Shown(StrEnum):
    """What of the list is looked at; its words are in the templates."""

    ALL = "tous"
    SOLD = "en-vente"
    LOW = "bientot-epuises"
    OUT_OF_SEASON = "hors-saison"
    RETIRED = "retires"


@dataclass(frozen=True, slots=True)
class Count:
    """What is left of an article, in units or grams; of a delivery where it is counted so."""

    delivery: DeliveryView | None
    left: int

    @property
    def key(self) -> str:
        """As a form names it."""
        return str(self.delivery.id) if self.delivery else ""


@blueprint.get("/produits")
@needs(Permission.SELL)
def products() -> ResponseReturnValue:
    """The list; as an answer to HTMX, what is left of it by what is being typed."""
    now, words, shown = clock.now(), *_narrowed()
    every = every_article(db.session(), local_day(now))
    page = render_template(
        "farm/products/_list.html" if is_htmx() else "farm/products/list.html",
        shelves=_by_shelf(offer for offer in every if _is(shown, offer, now) and _named(words, offer)),
        missing={offer.article.id: offer.missing(None, now) for offer in every},
        low={offer.article.id: is_low(offer.goods, offer.left) for offer in every},
        kinds=list(Shown),
        shown=shown,
        q=words,
        any=bool(every),
        categories=categories(db.session()),
    )
    return make_response(page)


@blueprint.get("/produits/ajout")
@needs(Permission.SELL)
def new_product() -> ResponseReturnValue:
    return _new_page(_form(NewArticleForm))


@blueprint.post("/produits/ajout")
@needs(Permission.SELL)
def add_product() -> ResponseReturnValue:
    form, at = _form(NewArticleForm, posted=True), clock.now()
    if not form.validate():
        return _new_page(form, 422)
    article = services.add_article(
        db.session(),
        form.values,
        form.first_price(local_day(at)),
        not_on=form.not_on,
        at=at,
        by=staff().id,
    )
    flash(_("Le produit est en vente. Il ne lui manque qu'une photo."), "success")
    return redirect(url_for("farm.product", article_id=article.id), 303)


@blueprint.get(ADDRESS)
@needs(Permission.SELL)
def product(article_id: int) -> ResponseReturnValue:
    return product_page(article_or_404(article_id))


@blueprint.post(ADDRESS)
@needs(Permission.SELL)
def save_product(article_id: int) -> ResponseReturnValue:
    article = article_or_404(article_id)
    form = _form(ArticleForm, article, posted=True)
    if not form.validate() or not _may_be_counted_so(form, article):
        return product_page(article, form=form, status=422)
    changed = services.change_article(
        db.session(), article_id, form.values, not_on=form.not_on, at=clock.now(), by=staff().id
    )
    flash(_("Le produit est enregistré.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.product", article_id=article_id), 303)


def _may_be_counted_so(form: ArticleForm, article: Article) -> bool:
    """Not while orders hold it: what was set aside in one way would come back in another."""
    session = db.session()
    same = form.stock_kind.data is services.hold_article(session, article.id).stock_kind
    if same or not is_awaited(session, article.id, local_day(clock.now())):
        return True
    form.stock_kind.errors = [
        _(
            "Stock : des commandes à livrer en contiennent. Il se comptera autrement quand elles seront livrées."
        )
    ]
    return False


@blueprint.post(f"{ADDRESS}/retrait")
@needs(Permission.SELL)
def retire_product(article_id: int) -> ResponseReturnValue:
    article_or_404(article_id)
    services.set_retired(db.session(), article_id, True, at=clock.now(), by=staff().id)
    flash(_("Le produit n'est plus en vente. Les commandes passées le gardent."), "success")
    return redirect(url_for("farm.product", article_id=article_id), 303)


@blueprint.post(f"{ADDRESS}/retour")
@needs(Permission.SELL)
def reinstate_product(article_id: int) -> ResponseReturnValue:
    article_or_404(article_id)
    services.set_retired(db.session(), article_id, False, at=clock.now(), by=staff().id)
    flash(_("Le produit est de nouveau en vente."), "success")
    return redirect(url_for("farm.product", article_id=article_id), 303)


def article_or_404(article_id: int) -> Article:
    return db.session().get(Article, article_id) or abort(404)


def product_page(
    article: Article,
    *,
    form: ArticleForm | None = None,
    price_form: PriceForm | None = None,
    status: int = 200,
    **context: Any,
) -> ResponseReturnValue:
    now = clock.now()
    page = render_template(
        "farm/products/page.html",
        form=form or _form(ArticleForm, article),
        article=article,
        price_form=price_form or PriceForm(today=local_day(now)),
        today=local_day(now),
        counts=counts(article, now),
        nav_current="farm.products",
        **context,
    )
    return make_response(page, status)


def counts(article: Article, now: datetime) -> list[Count]:
    """What is left of what is counted: in all, or for each of the coming deliveries that carry it."""
    if article.stock_kind is StockKind.COUNTED:
        return [Count(None, article.stock or 0)]
    if article.stock_kind is not StockKind.BY_DELIVERY:
        return []
    session, today, not_on = db.session(), local_day(now), _not_on(article)
    carried = [tour.id for tour in tours(session) if tour.id not in not_on]
    coming = [d for d in upcoming(session, today, today + COUNTED_AHEAD, carried) if d.for_rules.is_open(now)]
    counted = remaining_of(session, article.id, [delivery.id for delivery in coming])
    return [Count(delivery, counted.get(delivery.id, article.per_delivery or 0)) for delivery in coming]


def _by_shelf(offers: Iterable[Offer]) -> dict[str, list[Offer]]:
    shelves: dict[str, list[Offer]] = {}
    for offer in offers:
        shelves.setdefault(offer.article.category, []).append(offer)
    return shelves


def wanted_offers(now: datetime) -> list[Offer]:
    """What the list shows, as it is narrowed."""
    words, shown = _narrowed()
    every = every_article(db.session(), local_day(now))
    return [offer for offer in every if _is(shown, offer, now) and _named(words, offer)]


def _narrowed() -> tuple[str, Shown]:
    kind = request.args.get("voir", "")
    return request.args.get("q", ""), Shown(kind) if kind in set(Shown) else Shown.ALL


def _is(shown: Shown, offer: Offer, now: datetime) -> bool:
    missing = offer.missing(None, now)
    match shown:
        case Shown.RETIRED:
            return offer.goods.retired
        case Shown.SOLD:
            return missing is not Missing.NOT_SOLD
        case Shown.LOW:
            return missing is Missing.SOLD_OUT or (missing is None and is_low(offer.goods, offer.left))
        case Shown.OUT_OF_SEASON:
            return missing is Missing.OUT_OF_SEASON
        case Shown.ALL:
            return True


def _named(words: str, offer: Offer) -> bool:
    article = offer.article
    return finds(words, article.name, article.variety or "", article.supplier or "", article.category)


def _form(kind: type[F], article: Article | None = None, *, posted: bool = False) -> F:
    session = db.session()
    return kind(
        request.form if posted else None,
        categories=categories(session),
        suppliers=suppliers(session),
        products=product_names(session),
        tours=tours(session),
        article=article,
        not_on=_not_on(article) if article else frozenset(),
    )


def _not_on(article: Article) -> frozenset[int]:
    named = select(NotOnTour.tour_id).where(NotOnTour.article_id == article.id)
    return frozenset(db.session().scalars(named))


def _new_page(form: NewArticleForm, status: int = 200) -> ResponseReturnValue:
    page = render_template("farm/products/new.html", form=form, nav_current="farm.products")
    return make_response(page, status)
