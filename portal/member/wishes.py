"""What somebody would like: a private list, from which all can be put into the order at once."""

from dataclasses import replace

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from portal.catalogue.articles import offers
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, holder, member
from portal.rules.cutoffs import local_day
from portal.shop import carts, shelves
from portal.shop.drafts import keeper
from portal.shop.shelves import Item, Visit
from portal.shop.vouchers import Person
from portal.shop.wishes import set_wish, wished_by
from portal.web.guards import is_on_this_site
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import ngettext

WANTED = {"oui": True, "non": False}


@blueprint.get("/envies")
def wishes() -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    visit = shelves.visit(session, keeper(session, holder().id).read(), _person(), now)
    items = _wishes(session, visit)
    return render_template(
        "member/wishes/page.html",
        visit=visit,
        there=[item for item in items if not item.missing],
        missing=[item for item in items if item.missing],
        left_out=[item for item in items if not item.missing and item.article.id not in visit.quantities],
    )


@blueprint.post("/envies/<id:article_id>")
def wish(article_id: int) -> ResponseReturnValue:
    said = request.form.getlist("voulu")
    if len(said) != 1 or said[0] not in WANTED:
        abort(400)
    wanted = WANTED[said[0]]
    session, now = db.session(), clock.now()
    if not set_wish(session, member().id, article_id, wanted=wanted, at=now):
        abort(404)
    if is_htmx():
        [offer] = offers(session, [article_id], local_day(now)).values()
        return render_template("member/wishes/_answer.html", article=offer.article, wished=wanted)
    flash(_("Ajouté à vos envies.") if wanted else _("Retiré de vos envies."), "success")
    back = request.form.get("retour", "")
    return redirect(back if is_on_this_site(back) else url_for("member.wishes"), 303)


@blueprint.post("/envies/commande")
def order_wishes() -> ResponseReturnValue:
    """Put one of everything that can be had into the order, beside what is there already."""
    session, now = db.session(), clock.now()
    kept = keeper(session, holder().id)
    draft = kept.hold(now)
    visit = shelves.visit(session, draft, _person(), now)
    before = len(draft.entries)
    for item in _wishes(session, visit):
        if item.article.id not in draft.entries:
            put = carts.put(session, draft, _person(), now, article_id=item.article.id, quantity=item.step)
            draft = put.draft if put else draft
    added = len(draft.entries) - before
    if not added:
        flash(_("Rien de plus à commander pour cette livraison."), "info")
        return redirect(url_for("member.wishes"), 303)
    kept.save(draft, now)
    flash(
        ngettext("Un produit ajouté à votre commande.", "%(n)s produits ajoutés à votre commande.", added),
        "success",
    )
    return redirect(url_for("public.cart"), 303)


def _wishes(session: Session, visit: Visit) -> list[Item]:
    """The latest first."""
    ids = session.scalars(wished_by(member().id)).all()
    found = offers(session, ids, local_day(visit.now), delivery_id=visit.delivery_id)
    return [visit.item(replace(found[article_id], picked=True)) for article_id in ids]


def _person() -> Person:
    return Person(holder().id, holder().email, member().id)
