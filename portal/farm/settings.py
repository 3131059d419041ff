"""Who the farm is, and its news; and the way to all that is set up once and seldom changed."""

from calendar import monthrange
from datetime import UTC, datetime
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, ValidationError
from wtforms.widgets import DateInput, EmailInput, TelInput, TextArea, TimeInput, URLInput

from portal.farm import blueprint, staff
from portal.farm.product_forms import days_of_month, months
from portal.infra import clock
from portal.infra.orm import db
from portal.profile import queries, services
from portal.profile.queries import Farm, NewsItem
from portal.rules.cutoffs import PARIS
from portal.rules.permissions import Permission
from portal.web.forms import (
    Chosen,
    Typed,
    certifier,
    day,
    email,
    line,
    link,
    paragraphs,
    phone,
    postcode,
    prose,
    write_clock,
)
from portal.web.forms import clock as clock_time
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

NEWS = "/reglages/nouvelles/<id:news_id>"
COMMON_YEAR = 2027
"""A season that began on 29 February would not begin every year."""


class ProfileForm(Form):
    name = Typed(_l("Nom de la ferme"), line(120))
    tagline = Typed(_l("Phrase d'accueil"), prose(200), needed=False)
    email = Typed(_l("Adresse e-mail"), email, widget=EmailInput())
    phone = Typed(_l("Téléphone"), phone, widget=TelInput())
    phone_hours = Typed(_l("Heures du téléphone"), prose(120), needed=False)
    address = Typed(_l("Adresse"), line(200))
    postcode = Typed(_l("Code postal"), postcode)
    town = Typed(_l("Commune"), line(80))
    certifier = Typed(_l("Code du certificateur bio"), certifier, needed=False)
    certificate = Typed(_l("Lien vers le certificat"), link(300), needed=False, widget=URLInput())
    season_day = Chosen(_l("La saison commence le"))
    season_month = Chosen(_l("Mois"))

    def __init__(self, formdata: Any = None, farm: Farm | None = None, season_first: int = 0) -> None:
        month, number = divmod(season_first, 100)
        super().__init__(formdata, obj=farm, season_day=number, season_month=month)

    def process(self, *args: Any, **values: Any) -> None:
        self.season_day.choices = days_of_month()[1:]
        self.season_month.choices = months()[1:]
        super().process(*args, **values)

    def validate_certifier(self, field: Typed) -> None:
        _need_with(self.certificate, field)

    def validate_certificate(self, field: Typed) -> None:
        _need_with(self.certifier, field)

    def validate_season_day(self, field: Chosen) -> None:
        month = self.season_month.data
        if month and field.data and field.data > monthrange(COMMON_YEAR, month)[1]:
            raise ValidationError(_("La saison commence le : ce mois n'a pas autant de jours."))

    @property
    def values(self) -> dict[str, Any]:
        """The profile's own columns."""
        typed = self.data
        season_first = typed.pop("season_month") * 100 + typed.pop("season_day")
        return {
            **typed,
            "tagline": typed["tagline"] or "",
            "phone_hours": typed["phone_hours"] or "",
            "season_first": season_first,
        }


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
        _need_with(self.time, field)

    def validate_time(self, field: Typed) -> None:
        _need_with(self.day, field)

    def published_at(self, now: datetime) -> datetime:
        """The moment on the wall clock in Paris; that of before, to the second, where it was left alone."""
        if self.day.data is None:
            return now
        typed = datetime.combine(self.day.data, self.time.data, PARIS)
        before = self._published_at
        if before and before.astimezone(PARIS).replace(second=0, microsecond=0) == typed:
            return before
        return typed.astimezone(UTC)


def _need_with(other: Typed, field: Typed) -> None:
    if other.data is not None and field.data is None and not field.errors:
        raise ValidationError(field.says(_("à remplir aussi, ou laissez les deux vides.")))


@blueprint.get("/sommaire")
@needs(Permission.LOOK)
def index() -> ResponseReturnValue:
    return render_template("farm/settings/index.html")


@blueprint.get("/reglages")
@needs(Permission.SETTINGS)
def settings() -> ResponseReturnValue:
    session = db.session()
    return _page(ProfileForm(None, queries.get_farm(session), queries.season_first(session)))


@blueprint.post("/reglages")
@needs(Permission.SETTINGS)
def save_settings() -> ResponseReturnValue:
    form = ProfileForm(request.form)
    if not form.validate():
        return _page(form, 422)
    changed = services.save_profile(db.session(), form.values, at=clock.now(), by=staff().id)
    flash(_("La fiche de la ferme est enregistrée.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.settings"), 303)


@blueprint.get("/reglages/nouvelles/ajout")
@needs(Permission.TEXTS)
def new_news() -> ResponseReturnValue:
    return _news_page(NewsForm())


@blueprint.post("/reglages/nouvelles/ajout")
@needs(Permission.TEXTS)
def add_news() -> ResponseReturnValue:
    form = NewsForm(request.form)
    if not form.validate():
        return _news_page(form, status=422)
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


@blueprint.get(NEWS)
@needs(Permission.TEXTS)
def news(news_id: int) -> ResponseReturnValue:
    found = _news_or_404(news_id)
    return _news_page(NewsForm(None, found), found)


@blueprint.post(NEWS)
@needs(Permission.TEXTS)
def save_news(news_id: int) -> ResponseReturnValue:
    found = _news_or_404(news_id)
    form = NewsForm(request.form, found)
    if not form.validate():
        return _news_page(form, found, 422)
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


@blueprint.post(f"{NEWS}/suppression")
@needs(Permission.TEXTS)
def remove_news(news_id: int) -> ResponseReturnValue:
    """Idempotent: what is gone already stays gone."""
    services.remove_news(db.session(), news_id, at=clock.now(), by=staff().id)
    flash(_("La nouvelle est supprimée."), "success")
    return redirect(url_for("farm.settings"), 303)


def _back(form: NewsForm, now: datetime) -> ResponseReturnValue:
    later = form.published_at(now) > now
    flash(
        _("La nouvelle est enregistrée, elle paraîtra plus tard.")
        if later
        else _("La nouvelle est publiée : les abonné·es la voient sur leur page d'accueil."),
        "success",
    )
    return redirect(url_for("farm.settings"), 303)


def _news_or_404(news_id: int) -> NewsItem:
    return queries.find_news(db.session(), news_id) or abort(404)


def _page(form: ProfileForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "farm/settings/page.html",
        form=form,
        news=queries.all_news(db.session()),
        now=clock.now(),
        nav_current="farm.index",
    )
    return make_response(page, status)


def _news_page(form: NewsForm, news: NewsItem | None = None, status: int = 200) -> ResponseReturnValue:
    page = render_template("farm/settings/news.html", form=form, news=news, nav_current="farm.index")
    return make_response(page, status)
