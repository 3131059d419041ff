"""The farm's news: what subscribers read on their home page."""

from datetime import UTC, datetime
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form
from wtforms.widgets import DateInput, TextArea, TimeInput

from portal.farm import blueprint, staff
from portal.farm.settings import need_with
from portal.infra import clock
from portal.infra.orm import db
from portal.profile import queries, services
from portal.profile.queries import NewsItem
from portal.rules.cutoffs import PARIS
from portal.rules.permissions import Permission
from portal.web.forms import Typed, day, paragraphs, prose, write_clock
from portal.web.forms import clock as clock_time
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/reglages/nouvelles/<id:news_id>"


class NewsForm(Form):
    """Published at once where neither day nor time is given."""

    title = Typed(_l("Titre"), prose(120))
    text = Typed(_l("Texte"), paragraphs(5000), widget=TextArea())
    day = Typed(_l("Jour"), day, needed=False, widget=DateInput())
    time = Typed(_l("Heure"), clock_time, write=write_clock, needed=False, widget=TimeInput())

    def __init__(self, formdata: Any = None, news: NewsItem | None = None) -> None:
        self._published_at = news.published_at if news else None
        at = news.published_at.astimezone(PARIS) if news else None
        super().__init__(formdata, obj=news, time=at and at.time())

    def validate_day(self, field: Typed) -> None:
        need_with(self.time, field)

    def validate_time(self, field: Typed) -> None:
        need_with(self.day, field)

    def published_at(self, now: datetime) -> datetime:
        """The moment on the wall clock in Paris; that of before, to the second, where it was left alone."""
        if self.day.data is None:
            return now
        typed = datetime.combine(self.day.data, self.time.data, PARIS)
        before = self._published_at
        if before and before.astimezone(PARIS).replace(second=0, microsecond=0) == typed:
            return before
        return typed.astimezone(UTC)


@blueprint.get("/reglages/nouvelles")
@needs(Permission.TEXTS)
def all_news() -> ResponseReturnValue:
    return render_template(
        "farm/settings/all_news.html",
        news=queries.all_news(db.session()),
        now=clock.now(),
        nav_current="farm.index",
    )


@blueprint.get("/reglages/nouvelles/ajout")
@needs(Permission.TEXTS)
def new_news() -> ResponseReturnValue:
    return _page(NewsForm())


@blueprint.post("/reglages/nouvelles/ajout")
@needs(Permission.TEXTS)
def add_news() -> ResponseReturnValue:
    form = NewsForm(request.form)
    if not form.validate():
        return _page(form, status=422)
    now = clock.now()
    services.add_news(
        db.session(),
        title=form.title.data,
        text=form.text.data,
        published_at=form.published_at(now),
        at=now,
        by=staff().id,
    )
    return _back(form, now)


@blueprint.get(ADDRESS)
@needs(Permission.TEXTS)
def news(news_id: int) -> ResponseReturnValue:
    found = _news_or_404(news_id)
    return _page(NewsForm(None, found), found)


@blueprint.post(ADDRESS)
@needs(Permission.TEXTS)
def save_news(news_id: int) -> ResponseReturnValue:
    found = _news_or_404(news_id)
    form = NewsForm(request.form, found)
    if not form.validate():
        return _page(form, found, 422)
    now = clock.now()
    changed = services.change_news(
        db.session(),
        news_id,
        title=form.title.data,
        text=form.text.data,
        published_at=form.published_at(now),
        at=now,
        by=staff().id,
    )
    if changed is None:
        abort(404)
    return _back(form, now)


@blueprint.post(f"{ADDRESS}/suppression")
@needs(Permission.TEXTS)
def remove_news(news_id: int) -> ResponseReturnValue:
    """Idempotent: what is gone already stays gone."""
    services.remove_news(db.session(), news_id, at=clock.now(), by=staff().id)
    flash(_("La nouvelle est supprimée."), "success")
    return redirect(url_for("farm.all_news"), 303)


def _back(form: NewsForm, now: datetime) -> ResponseReturnValue:
    later = form.published_at(now) > now
    flash(
        _("La nouvelle est enregistrée, elle paraîtra plus tard.")
        if later
        else _("La nouvelle est publiée : les abonné·es la voient sur leur page d'accueil."),
        "success",
    )
    return redirect(url_for("farm.all_news"), 303)


def _news_or_404(news_id: int) -> NewsItem:
    return queries.find_news(db.session(), news_id) or abort(404)


def _page(form: NewsForm, news: NewsItem | None = None, status: int = 200) -> ResponseReturnValue:
    page = render_template("farm/settings/news.html", form=form, news=news, nav_current="farm.index")
    return make_response(page, status)
