"""A guest's orders become an account's, on the word of staff who have asked the person."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.farm import blueprint, staff
from portal.farm.orders import ADDRESS, ReasonForm, order_or_404, order_page
from portal.infra.orm import db
from portal.rules.permissions import Permission
from portal.shop.claiming import claim, claim_of
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import ngettext


@blueprint.post(f"{ADDRESS}/compte")
@needs(Permission.PEOPLE)
def claim_orders(order_id: int) -> ResponseReturnValue:
    order = order_or_404(order_id)
    found = claim_of(db.session(), order)
    if found is None:
        flash(_("C'était déjà fait : rien n'a changé."), "success")
        return redirect(url_for("farm.order", order_id=order_id), 303)
    if str(found.account_id) != request.form.get("compte") or request.form.get("sur") != "oui":
        return order_page(order, ReasonForm(), status=422, unsure=True)
    assert found.account_id
    n = claim(db.session(), order.email, found.account_id, by=staff().id)
    said = ngettext(
        "Une commande est maintenant à son compte.", "%(n)s commandes sont maintenant à son compte.", n
    )
    flash(said, "success")
    return redirect(url_for("farm.person", account_id=found.account_id), 303)
