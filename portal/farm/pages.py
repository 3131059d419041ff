"""The legal pages in the farm's own words, where ours do not do."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound
from wtforms import Form
from wtforms.widgets import TextArea

from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.profile import legal
from portal.profile.models import Page
from portal.rules.permissions import Permission
from portal.web.forms import Typed
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/reglages/pages/<page>"


class PageForm(Form):
    text = Typed(_l("Texte"), legal.read_text, needed=False, widget=TextArea())


@blueprint.get("/reglages/pages")
@needs(Permission.SETTINGS)
def pages() -> ResponseReturnValue:
    session = db.session()
    return render_template(
        "farm/settings/pages.html",
        pages=[legal.find_page(session, page) for page in Page],
        lacks=legal.find_lacks(session),
        nav_current="farm.index",
    )


@blueprint.get(ADDRESS)
@needs(Permission.SETTINGS)
def page(page: str) -> ResponseReturnValue:
    found = legal.find_page(db.session(), _named(page))
    return _page(found.page, PageForm(obj=found), own=found.published_at is not None)


@blueprint.post(ADDRESS)
@needs(Permission.SETTINGS)
def publish_page(page: str) -> ResponseReturnValue:
    named, form = _named(page), PageForm(request.form)
    if not form.validate():
        return _page(named, form, own=True, status=422)
    text = "" if request.form.get("act") == "ours" else form.text.data or ""
    changed = legal.publish_page(db.session(), named, text, at=clock.now(), by=staff().id)
    flash(_("La page est publiée.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.pages"), 303)


def _named(name: str) -> Page:
    try:
        return Page(name)
    except ValueError:
        raise NotFound from None


def _page(named: Page, form: PageForm, *, own: bool, status: int = 200) -> ResponseReturnValue:
    shown = render_template(
        "farm/settings/legal_page.html", named=named, form=form, own=own, nav_current="farm.index"
    )
    return make_response(shown, status)
