"""Mails to many, as staff make them."""

from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import consents
from portal.infra.outbox import Mail
from portal.messages.models import Campaign, CampaignMail, CampaignState
from portal.messages.next_boxes import next_week
from portal.messages.sending import send_campaigns
from portal.messages.unsubscribing import letters_token
from portal.rules.consents import ConsentSource, Topic
from tests import world
from tests.accounts.people import account_of
from tests.client import Browser
from tests.farm.forms import CAMPAIGN
from tests.pages import text_of
from tests.world import NOW

PAGE = "/ferme/messages/1"


def test_a_message_is_written_looked_at_tried_and_sent_to_those_whom_the_page_names(
    staff: Browser, session: Session
) -> None:
    camille = account_of(session, world.CAMILLE)
    assert staff.submit("/ferme/messages/ajout", CAMPAIGN | {"points": "1"}).status_code == 303
    said = text_of(staff.get(PAGE))
    assert "À 1 personne" in said and "Camille Aubert" in said and "Yacine" not in said
    assert "Seulement : Halle de Serres." in said
    assert "Votre Grand panier et Œufs vous attend mardi 16 juin." in said
    preview = staff.get(f"{PAGE}/apercu?personne={camille.id}")
    assert preview.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "Bonjour Camille" in preview.text
    assert staff.submit(f"{PAGE}/essai", {"personne": camille.id}).status_code == 303
    [trial] = session.scalars(select(Mail)).all()
    assert (trial.recipient, trial.subject) == (world.STAFF, "[Essai] Bonjour Camille")
    assert staff.submit(f"{PAGE}/envoi", {"day": "", "time": ""}).status_code == 303
    session.rollback()
    while send_campaigns():
        pass
    assert [row.account_id for row in session.scalars(select(CampaignMail))] == [camille.id]
    said = text_of(staff.get(PAGE))
    assert "Envoi en cours" in said and "Envoyer à" not in said, "its mail waits"
    assert staff.submit(f"{PAGE}/modification", CAMPAIGN).status_code == 422, "it is gone"
    assert staff.submit(f"{PAGE}/suppression").status_code == 422
    session.scalars(select(Mail).where(Mail.recipient == world.CAMILLE)).one().state = "failed"  # type: ignore[assignment]
    session.commit()
    said = text_of(staff.get(PAGE))
    assert "1 adresse refusée" in said and "Envoyé" in said
    fragment = staff.get(PAGE, headers={"HX-Request": "true"}).text
    assert fragment.lstrip().startswith("<section") and world.CAMILLE in fragment


def test_a_word_in_braces_that_stands_for_nothing_is_refused_beside_its_field(desk: Browser) -> None:
    for text in ("Bonjour {{config}}", "{{ prenom.__class__ }}", "Bonjour {{prenom", "{{7*7}}"):
        page = desk.submit("/ferme/messages/ajout", CAMPAIGN | {"text": text})
        assert page.status_code == 422
        assert "ne se remplace par rien" in text_of(page) and 'aria-invalid="true"' in page.text
        assert text.replace("<", "&lt;") in page.text, "what was typed stays"
    assert desk.submit("/ferme/messages/ajout", CAMPAIGN | {"about": "all"}).status_code == 422
    assert desk.submit("/ferme/messages/ajout", CAMPAIGN | {"points": "77"}).status_code == 422


def test_the_weeks_letter_is_proposed_scheduled_by_the_wall_clock_and_taken_back(
    desk: Browser, session: Session
) -> None:
    page = desk.get("/ferme/messages/ajout?lettre=oui")
    assert "La feuille de chou, semaine du 8\u00a0juin" in page.text and "Bonjour {{prenom}}," in page.text
    assert next_week(session, date(2026, 6, 13)) == date(2026, 6, 15), (
        "on a Saturday it is about the boxes to come"
    )
    session.rollback()
    letter = CAMPAIGN | {"about": "letter", "delivery": "any"}
    desk.submit("/ferme/messages/ajout", letter)
    when = {"day": "2026-06-12", "time": "08:30"}
    refused = desk.submit(f"{PAGE}/envoi", when)
    assert refused.status_code == 422 and "Personne ne recevrait" in text_of(refused)
    camille = account_of(session, world.CAMILLE)
    consents.give(session, camille, Topic.LETTER, source=ConsentSource.ACCOUNT, wording="Oui.", at=NOW)
    session.commit()
    past = desk.submit(f"{PAGE}/envoi", {"day": "2026-06-10", "time": "08:30"})
    assert past.status_code == 422 and "déjà passé" in text_of(past)
    assert desk.submit(f"{PAGE}/envoi", when).status_code == 303
    campaign = session.get_one(Campaign, 1)
    assert (campaign.letter, campaign.send_at) == (True, datetime(2026, 6, 12, 6, 30, tzinfo=UTC))
    session.rollback()
    assert not send_campaigns(), "it is not time yet"
    assert "partira le vendredi 12 juin, 8 h 30" in text_of(desk.get(PAGE))
    assert "Déjà programmé pour le" in text_of(desk.get("/ferme/messages/ajout?lettre=oui"))
    assert letters_token(camille.id, Topic.LETTER) not in desk.get(f"{PAGE}/apercu").text, (
        "it is no one's to press"
    )
    assert desk.submit(f"{PAGE}/arret").status_code == 303
    session.expire_all()
    assert campaign.state is CampaignState.DRAFT
    session.rollback()
    assert desk.submit(f"{PAGE}/suppression").status_code == 303
    assert session.scalar(select(Campaign)) is None
