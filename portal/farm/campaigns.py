"""Mails to many: written, looked at as somebody, tried on oneself, sent now or later, stopped."""

import re
from collections.abc import Sequence
from typing import Any

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.models import Account
from portal.farm import blueprint, staff
from portal.farm.campaign_forms import ANY, CampaignForm, SendForm
from portal.farm.mailbox import PREVIEW_POLICY
from portal.infra import clock, outbox
from portal.infra.orm import db
from portal.messages import campaigns
from portal.messages.audience import Audience, count_readers, list_readers, of_campaign
from portal.messages.campaigns import Refusal
from portal.messages.models import Campaign, CampaignState
from portal.messages.next_boxes import next_week
from portal.messages.writing import Letter, write
from portal.rules.consents import Topic
from portal.rules.cutoffs import local_day
from portal.rules.letters import Slot
from portal.rules.permissions import Permission
from portal.web.filters import day_month
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.topics import TOPICS

ADDRESS = "/messages/<id:campaign_id>"
_ID = re.compile(r"[1-9][0-9]{0,8}")
NAMED = 200
"""So many readers are shown by name."""
SLOTS = {
    Slot.FIRST_NAME: _l("le prénom"),
    Slot.LAST_NAME: _l("le nom"),
    Slot.FORMULA: _l("le prochain panier"),
    Slot.POINT: _l("son point de retrait"),
    Slot.NEXT_DELIVERY: _l("son jour"),
}


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
