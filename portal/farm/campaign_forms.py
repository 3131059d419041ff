"""What staff type about a mail to many."""

from datetime import UTC, datetime, timedelta
from typing import Any

from wtforms import Form, ValidationError
from wtforms.widgets import DateInput, TextArea, TimeInput

from portal.catalogue.queries import formulas
from portal.deliveries.queries import upcoming
from portal.farm.settings import need_with
from portal.infra import clock
from portal.infra.orm import db
from portal.messages.audience import Audience, Balance, of_campaign
from portal.messages.models import Campaign
from portal.pickup.queries import offered_points
from portal.rules.consents import Topic
from portal.rules.cutoffs import PARIS, local_day
from portal.rules.letters import Slot, unknown_slots
from portal.web.filters import day as day_words
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
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.topics import TOPICS

BOXES = "boxes"
"""About their boxes: to whoever receives them, without having asked."""
ANY = "any"
AHEAD = timedelta(weeks=3)


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
