"""What is done to a product beside its description: its photograph, its prices, its stock."""

from datetime import date
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.catalogue import services
from portal.catalogue.pictures import PictureRefusal
from portal.catalogue.services import StockRefusal
from portal.farm import blueprint, staff
from portal.farm.product_forms import PriceForm, StockForm
from portal.farm.products import ADDRESS, article_or_404, counts, product_page
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.permissions import Permission
from portal.web import filters
from portal.web.doubles import arrived_before
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.limits import takes_uploads


@blueprint.post(f"{ADDRESS}/photo")
@needs(Permission.SELL)
@takes_uploads
def upload_picture(article_id: int) -> ResponseReturnValue:
    article, upload = article_or_404(article_id), request.files.get("photo")
    refusal: PictureRefusal | None = PictureRefusal.MISSING
    if upload:
        refusal = services.set_picture(db.session(), article_id, upload.stream, at=clock.now(), by=staff().id)
    if refusal:
        return product_page(article, picture_refusal=refusal, status=422)
    flash(_("La photo est en boutique."), "success")
    return _back(article_id, "photo")


@blueprint.post(f"{ADDRESS}/photo/suppression")
@needs(Permission.SELL)
def remove_picture(article_id: int) -> ResponseReturnValue:
    """Idempotent: the drawing stands in for it."""
    article_or_404(article_id)
    services.remove_picture(db.session(), article_id, at=clock.now(), by=staff().id)
    flash(_("La photo est supprimée : le dessin la remplace."), "success")
    return _back(article_id, "photo")


@blueprint.post(f"{ADDRESS}/prix")
@needs(Permission.SELL)
def set_price(article_id: int) -> ResponseReturnValue:
    article, at = article_or_404(article_id), clock.now()
    form = PriceForm(request.form)
    if not form.validate():
        return product_page(article, price_form=form, status=422)
    changed = services.set_price(db.session(), article_id, form.dated, at=at, by=staff().id)
    if changed is None:
        form.since.errors = [form.since.says(_("aujourd'hui ou plus tard."))]
        return product_page(article, price_form=form, status=422)
    flash(
        _("Le prix est enregistré. Les commandes déjà passées gardent le leur.")
        if changed
        else _("C'est déjà le prix de ce jour-là."),
        "success",
    )
    return _back(article_id, "prix")


@blueprint.post(f"{ADDRESS}/prix/<date:since>/suppression")
@needs(Permission.SELL)
def withdraw_price(article_id: int, since: date) -> ResponseReturnValue:
    article = article_or_404(article_id)
    gone = services.withdraw_price(db.session(), article_id, since, at=clock.now(), by=staff().id)
    if gone is None:
        return product_page(article, price_begun=since, status=422)
    flash(_("Le prix prévu le %(day)s est retiré.", day=filters.day(since)), "success")
    return _back(article_id, "prix")


@blueprint.post(f"{ADDRESS}/stock")
@needs(Permission.SELL)
def count_stock(article_id: int) -> ResponseReturnValue:
    article = article_or_404(article_id)
    form, now = StockForm(request.form, article.sale_unit), clock.now()
    named = request.form.get("livraison", "")
    count = next((count for count in counts(article, now) if count.key == named), None)
    refusal: StockRefusal | None = None if count else StockRefusal.NOT_COUNTED
    if count and form.validate() and not arrived_before():
        delivery_id = count.delivery.id if count.delivery else None
        refusal = services.count_stock(
            db.session(), article_id, form.delta, delivery_id=delivery_id, at=now, by=staff().id
        )
    refused = bool(refusal or form.errors)
    answer: dict[str, Any] = {
        "stock_form": form if refused else None,
        "stock_refusal": refusal,
        "counted": named,
    }
    if is_htmx():
        fragment = render_template(
            "farm/products/_stock.html", article=article, counts=counts(article, now), answered=True, **answer
        )
        return make_response(fragment, 422 if refused else 200)
    if refused:
        return product_page(article, status=422, **answer)
    flash(_("C'est compté."), "success")
    return _back(article_id, "stock")


def _back(article_id: int, anchor: str) -> ResponseReturnValue:
    return redirect(url_for("farm.product", article_id=article_id, _anchor=anchor), 303)
