"""What the law wants said of the farm: its legal pages, and what is still unsaid."""

import logging
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from flask import Flask, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.infra import audit, locks, mail
from portal.infra.orm import View, own_transaction
from portal.profile.models import Page, PageText
from portal.profile.queries import ConditionsView, Farm, conditions_in_force, get_farm, sections_of
from portal.rules.cutoffs import local_day
from portal.web.forms import paragraphs

logger = logging.getLogger(__name__)

read_text = paragraphs(30_000)
"""As the form reads it, so that ours sent back unchanged is still ours."""
CLOSED_PLATFORM = "ec.europa.eu/consumers/odr"
"""The European platform for disputes was closed on 20 July 2025: nobody may be sent there any more."""
WITHDRAWAL_FORM = "formulaire de rétractation"
"""How the law's model is headed (Code de la consommation, L221-5 and annex to R221-1)."""


class Lack(StrEnum):
    """What is missing, or must go; its words are in the templates."""

    ADDRESS = "address"
    LEGAL_NAME = "legal_name"
    LEGAL_FORM = "legal_form"
    SIRET = "siret"
    DIRECTOR = "director"
    HOST = "host"
    MEDIATOR = "mediator"
    CONDITIONS = "conditions"
    MEDIATOR_IN_CONDITIONS = "mediator_in_conditions"
    WITHDRAWAL_FORM = "withdrawal_form"
    CLOSED_PLATFORM = "closed_platform"


def lacks(farm: Farm, conditions: ConditionsView | None) -> list[Lack]:
    """Code de la consommation, L616-1 and R616-1; loi pour la confiance dans l'économie numérique, 1-1."""
    text = conditions.text if conditions else ""
    missing = {
        Lack.ADDRESS: not (farm.email and farm.phone and farm.address and farm.town),
        Lack.LEGAL_NAME: not farm.legal_name,
        Lack.LEGAL_FORM: not farm.legal_form,
        Lack.SIRET: not farm.siret,
        Lack.DIRECTOR: not farm.director,
        Lack.HOST: not farm.host,
        Lack.MEDIATOR: not (farm.mediator and farm.mediator_site),
        Lack.CONDITIONS: conditions is None,
        Lack.MEDIATOR_IN_CONDITIONS: bool(text and farm.mediator_site and farm.mediator_site not in text),
        Lack.WITHDRAWAL_FORM: bool(text) and WITHDRAWAL_FORM not in text.lower(),
        Lack.CLOSED_PLATFORM: CLOSED_PLATFORM in text,
    }
    return [lack for lack, there in missing.items() if there]


def find_lacks(session: Session) -> list[Lack]:
    return lacks(get_farm(session), conditions_in_force(session))


def warn(app: Flask) -> None:
    """A line in the log of a site that opens its doors unfinished; it opens them all the same."""
    with app.app_context(), own_transaction() as session:
        if missing := find_lacks(session):
            logger.warning("the law asks for more: %s", ", ".join(missing))


@dataclass(frozen=True, slots=True)
class PageView:
    """A legal page as it is read; without `published_at` it is in our words."""

    page: Page
    text: str
    published_at: datetime | None = None

    @property
    def day(self) -> date | None:
        return local_day(self.published_at) if self.published_at else None

    @property
    def sections(self) -> list[tuple[str, str]]:
        return sections_of(self.text)


_VERSIONS = select(
    View(PageView, page=PageText.page, text=PageText.text, published_at=PageText.published_at)
).order_by(PageText.id.desc())


def find_page(session: Session, page: Page) -> PageView:
    """In the farm's own words where it has some, else in ours, filled in from its card."""
    own = session.scalar(_VERSIONS.where(PageText.page == page).limit(1))
    return own if own and own.text else in_our_words(page)


_IN_OUR_WORDS = {
    Page.LEGAL: "legal/legal.txt",
    Page.PRIVACY: "legal/privacy.txt",
    Page.ACCESSIBILITY: "legal/accessibility.txt",
}


def in_our_words(page: Page) -> PageView:
    written = render_template(_IN_OUR_WORDS[page], way=mail.link("public.contact"))
    return PageView(page, read_text(written))


def publish_page(session: Session, page: Page, text: str, *, at: datetime, by: int) -> bool:
    """In force from now on, ours again where it is empty; whether it says anything new."""
    if text == in_our_words(page).text:
        text = ""
    latest = select(PageText).where(PageText.page == page).order_by(PageText.id.desc()).limit(1)
    before = session.scalar(locks.for_update(latest, of=PageText))
    if (before.text if before else "") == text:
        return False
    version = PageText(page=page, text=text, published_at=at)
    session.add(version)
    session.flush()
    after = {"page": page, "own": bool(text)}
    audit.record(session, "page_text.publish", ("page_text", version.id), at=at, by=by, after=after)
    return True
