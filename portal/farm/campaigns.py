"""Mails to many: written, looked at as somebody, tried on oneself, sent now or later, stopped."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, ValidationError
from wtforms.widgets import DateInput, TextArea, TimeInput

from portal.accounts.models import Account
from portal.catalogue.queries import formulas
from portal.deliveries.queries import upcoming
from portal.farm import blueprint, staff
from portal.farm.mailbox import PREVIEW_POLICY
from portal.farm.settings import need_with
from portal.infra import clock, outbox
from portal.infra.orm import db
from portal.messages import campaigns
from portal.messages.audience import Audience, Balance, count_readers, list_readers, of_campaign
from portal.messages.campaigns import Refusal
from portal.messages.models import Campaign, CampaignState
from portal.messages.next_boxes import next_week
from portal.messages.writing import Letter, write
from portal.pickup.queries import offered_points
from portal.rules.consents import Topic
from portal.rules.cutoffs import PARIS, local_day
from portal.rules.letters import Slot, unknown_slots
from portal.rules.permissions import Permission
from portal.web.filters import day as day_words
from portal.web.filters import day_month
from portal.web.forms import (
    Chosen,
    ChosenMany,
    Reader,
    Typed,
    choices,
    day,
    paragraphs,
    prose,
    write_clock,
)
from portal.web.forms import clock as clock_time
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.topics import TOPICS

ADDRESS = "/messages/<id:campaign_id>"
BOXES = "boxes"
"""About their boxes: to whoever receives them, without having asked."""
ANY = "any"
_ID = re.compile(r"[1-9][0-9]{0,8}")
AHEAD = timedelta(weeks=3)
NAMED = 200
"""So many readers are shown by name."""
SLOTS = {
    Slot.FIRST_NAME: _l("le prénom"),
    Slot.LAST_NAME: _l("le nom"),
    Slot.FORMULA: _l("le prochain panier"),
    Slot.POINT: _l("son point de retrait"),
    Slot.NEXT_DELIVERY: _l("son jour"),
}


class AnyOf(ChosenMany):
    """Of the values on offer as many as one likes, also none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = []
        if valuelist:
            super().process_formdata(valuelist)


def with_slots(read: Reader) -> Reader:
    """What has only words in braces that stand for something."""

    def check(text: str) -> str:
        if unknown := unknown_slots(text):
            known = ", ".join(slot.written for slot in Slot)
            raise ValueError(
                _(
                    "« %(unknown)s » ne se remplace par rien ; il y a %(known)s.",
                    unknown=unknown[0],
                    known=known,
                )
            )
        return str(read(text))

    return check


class CampaignForm(Form):
    about = Chosen(_l("De quoi il s'agit"))
    subject = Typed(_l("Objet"), with_slots(prose(150)))
    text = Typed(_l("Texte"), with_slots(paragraphs(10_000)), widget=TextArea())
    points = AnyOf(_l("Points de retrait"))
    formulas = AnyOf(_l("Formules"))
    delivery = Chosen(_l("Livraison"))
    balance = Chosen(_l("Solde"))

    def __init__(self, formdata: Any = None, campaign: Campaign | None = None, **proposed: Any) -> None:
        if campaign:
            kept = of_campaign(campaign)
            proposed = {
                "about": campaign.topic or BOXES,
                "points": list(kept.points),
                "formulas": list(kept.formulas),
                "delivery": kept.delivery or ANY,
                "balance": kept.balance or ANY,
                **proposed,
            }
        super().__init__(formdata, obj=campaign, **{"delivery": ANY, "balance": ANY, **proposed})

    def process(self, *args: Any, **values: Any) -> None:
        session, today = db.session(), local_day(clock.now())
        self.about.choices = choices(
            [
                *((topic.value, str(words.name)) for topic, words in TOPICS.items()),
                (BOXES, _("Leurs paniers : un changement, un retard, une fermeture")),
            ]
        )
        self.points.choices = choices((point.id, point.name) for point in offered_points(session))
        self.formulas.choices = choices((each.id, each.name) for each in formulas(session))
        coming = [
            (d.id, f"{day_words(d.day)}, {d.tour_name}") for d in upcoming(session, today, today + AHEAD)
        ]
        chosen = values.get("delivery", ANY)
        if chosen != ANY and chosen not in dict(coming):
            coming.insert(0, (chosen, _("Une livraison passée")))
        self.delivery.choices = choices([(ANY, _("Toutes")), *coming])
        self.balance.choices = choices(
            [
                (ANY, _("Tout le monde")),
                (Balance.OWING.value, _("Qui doit quelque chose")),
                (Balance.EVEN.value, _("Qui est à jour")),
            ]
        )
        super().process(*args, **values)

    @property
    def values(self) -> dict[str, Any]:
        """The campaign's own columns."""
        topic = None if self.about.data == BOXES else Topic(self.about.data)
        delivery = None if self.delivery.data == ANY else self.delivery.data
        balance = None if self.balance.data == ANY else Balance(self.balance.data)
        audience = Audience(topic, tuple(self.points.data), tuple(self.formulas.data), delivery, balance)
        return {
            "topic": topic,
            "audience": audience.filter,
            "subject": self.subject.data,
            "text": self.text.data,
            "letter": topic is Topic.LETTER,
        }


class SendForm(Form):
    """At once where neither day nor time is given."""

    day = Typed(_l("Jour"), day, needed=False, widget=DateInput())
    time = Typed(_l("Heure"), clock_time, write=write_clock, needed=False, widget=TimeInput())

    def validate_day(self, field: Typed) -> None:
        need_with(self.time, field)

    def validate_time(self, field: Typed) -> None:
        need_with(self.day, field)
        if self.day.data and field.data and self.send_at(clock.now()) < clock.now():
            raise ValidationError(field.says(_("ce moment est déjà passé.")))

    def send_at(self, now: datetime) -> datetime:
        """On the wall clock in Paris."""
        if self.day.data is None or self.time.data is None:
            return now
        return datetime.combine(self.day.data, self.time.data, PARIS).astimezone(UTC)


@blueprint.get("/messages")
@needs(Permission.MESSAGES)
def all_campaigns() -> ResponseReturnValue:
    return render_template(
        "farm/campaigns/list.html",
        campaigns=campaigns.all_campaigns(db.session()),
        nav_current="farm.index",
    )


@blueprint.get("/messages/ajout")
@needs(Permission.MESSAGES)
def new_campaign() -> ResponseReturnValue:
    """An empty one, or the letter of the next boxes' week as it usually begins."""
    if "lettre" not in request.args:
        return _form(CampaignForm())
    session = db.session()
    week = day_month(next_week(session, local_day(clock.now())))
    return _form(
        CampaignForm(
            about=Topic.LETTER,
            subject=_("La feuille de chou, semaine du %(week)s", week=week),
            text=_(
                "Bonjour {{prenom}},\n\n"
                "Cette semaine au jardin…\n\n"
                "La recette : …\n\n"
                "À bientôt,\nToute l'équipe"
            ),
        ),
        scheduled=campaigns.scheduled_letters(session),
    )


@blueprint.post("/messages/ajout")
@needs(Permission.MESSAGES)
def add_campaign() -> ResponseReturnValue:
    form = CampaignForm(request.form)
    if not form.validate():
        return _form(form, status=422)
    made = campaigns.make(db.session(), form.values, at=clock.now(), by=staff().id)
    return _to(made.id)


@blueprint.get(ADDRESS)
@needs(Permission.MESSAGES)
def campaign(campaign_id: int) -> ResponseReturnValue:
    """The page; as an answer to HTMX, how far it is."""
    found = _campaign_or_404(campaign_id)
    if is_htmx():
        return render_template("farm/campaigns/_progress.html", campaign=found, **_progress(found))
    return _page(found, SendForm())


@blueprint.get(f"{ADDRESS}/modification")
@needs(Permission.MESSAGES)
def change_campaign(campaign_id: int) -> ResponseReturnValue:
    found = _campaign_or_404(campaign_id)
    if found.state is not CampaignState.DRAFT:
        return _to(campaign_id)
    return _form(CampaignForm(None, found), found)


@blueprint.post(f"{ADDRESS}/modification")
@needs(Permission.MESSAGES)
def save_campaign(campaign_id: int) -> ResponseReturnValue:
    found = _campaign_or_404(campaign_id)
    form = CampaignForm(request.form, found)
    if not form.validate():
        return _form(form, found, 422)
    refusal = campaigns.change(db.session(), campaign_id, form.values, at=clock.now(), by=staff().id)
    if refusal:
        return _page(found, SendForm(), 422, refusal=refusal)
    return _to(campaign_id)


@blueprint.get(f"{ADDRESS}/apercu")
@needs(Permission.MESSAGES)
def preview_campaign(campaign_id: int) -> Response:
    """As one of its readers will see it: a page of its own, for the site's policy would take its styles away."""
    letter = _letter(_campaign_or_404(campaign_id))
    response = make_response(letter.rendered.html)
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    return response


@blueprint.post(f"{ADDRESS}/essai")
@needs(Permission.MESSAGES)
def try_campaign(campaign_id: int) -> ResponseReturnValue:
    """Mail it to oneself, as somebody will read it."""
    letter, me = _letter(_campaign_or_404(campaign_id)), staff()
    parts = letter.rendered.parts
    parts["subject"] = _("[Essai] %(subject)s", subject=parts["subject"])
    outbox.post(db.session(), to=me.email, at=clock.now(), unsubscribe=letter.unsubscribe, **parts)
    flash(_("L'essai part à %(address)s.", address=me.email), "success")
    return _to(campaign_id)


@blueprint.post(f"{ADDRESS}/envoi")
@needs(Permission.MESSAGES)
def send_campaign(campaign_id: int) -> ResponseReturnValue:
    found, form, now = _campaign_or_404(campaign_id), SendForm(request.form), clock.now()
    if not form.validate():
        return _page(found, form, 422)
    send_at = form.send_at(now)
    refusal = campaigns.send(db.session(), campaign_id, send_at=send_at, at=now, by=staff().id)
    if refusal:
        return _page(found, form, 422, refusal=refusal)
    return _to(campaign_id)


@blueprint.post(f"{ADDRESS}/arret")
@needs(Permission.MESSAGES)
def stop_campaign(campaign_id: int) -> ResponseReturnValue:
    """Idempotent: what is not under way stays as it is."""
    _campaign_or_404(campaign_id)
    campaigns.stop(db.session(), campaign_id, at=clock.now(), by=staff().id)
    flash(_("C'est arrêté."), "success")
    return _to(campaign_id)


@blueprint.post(f"{ADDRESS}/suppression")
@needs(Permission.MESSAGES)
def remove_campaign(campaign_id: int) -> ResponseReturnValue:
    found = _campaign_or_404(campaign_id)
    refusal = campaigns.remove(db.session(), campaign_id, at=clock.now(), by=staff().id)
    if refusal:
        return _page(found, SendForm(), 422, refusal=refusal)
    flash(_("Le brouillon est supprimé."), "success")
    return redirect(url_for("farm.all_campaigns"), 303)


def _campaign_or_404(campaign_id: int) -> Campaign:
    return campaigns.find(db.session(), campaign_id) or abort(404)


def _to(campaign_id: int) -> ResponseReturnValue:
    return redirect(url_for("farm.campaign", campaign_id=campaign_id), 303)


def _letter(found: Campaign) -> Letter:
    """As the reader whom the address names will have it, else the first of them; its links are one's own."""
    session, now = db.session(), clock.now()
    chosen = request.values.get("personne", "")
    if _ID.fullmatch(chosen):
        reader = session.get(Account, int(chosen))
    else:
        first = list_readers(session, of_campaign(found), local_day(now), 1)
        reader = session.get(Account, first[0].id) if first else None
    [letter] = write(session, found, [reader or staff()], now, instead=staff())
    return letter


def _progress(found: Campaign) -> dict[str, Any]:
    session = db.session()
    tally = campaigns.tally(session, found.id)
    planned = found.state is CampaignState.SCHEDULED
    begins = planned and found.send_at is not None and found.send_at <= clock.now()
    under_way = begins or found.state is CampaignState.SENDING
    return {
        "tally": tally,
        "under_way": under_way,
        "working": under_way or (found.state is CampaignState.SENT and tally.waiting > 0),
        "planned": planned and not begins,
        "refused": campaigns.refused(session, found.id, NAMED) if tally.failed else (),
    }


def _page(
    found: Campaign, form: SendForm, status: int = 200, *, refusal: Refusal | None = None
) -> ResponseReturnValue:
    session, today = db.session(), local_day(clock.now())
    audience = of_campaign(found)
    names = list_readers(session, audience, today, NAMED)
    page = render_template(
        "farm/campaigns/page.html",
        campaign=found,
        form=form,
        refusal=refusal,
        readers=names,
        count=count_readers(session, audience, today),
        letter=_letter(found),
        whom=_whom(audience),
        topic=TOPICS[found.topic].name if found.topic else None,
        nav_current="farm.index",
        **_progress(found),
    )
    return make_response(page, status)


def _whom(audience: Audience) -> list[str]:
    """The filter in words."""
    offered = CampaignForm(None, delivery=audience.delivery or ANY)
    wanted = (
        (offered.points, audience.points),
        (offered.formulas, audience.formulas),
        (offered.delivery, (audience.delivery,)),
        (offered.balance, (audience.balance,)),
    )
    return [str(choice.label) for field, ids in wanted for choice in field.choices if choice.value in ids]


def _form(
    form: CampaignForm,
    found: Campaign | None = None,
    status: int = 200,
    *,
    scheduled: Sequence[Campaign] = (),
) -> ResponseReturnValue:
    page = render_template(
        "farm/campaigns/form.html",
        form=form,
        campaign=found,
        scheduled=scheduled,
        slots=SLOTS,
        nav_current="farm.index",
    )
    return make_response(page, status)
