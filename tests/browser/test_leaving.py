"""Leaving on a phone without JavaScript, with no account at hand; and a box that one has forgotten."""

import re
from collections.abc import Callable

from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select
from time_machine import Traveller

from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from tests.browser.helpers import leave, work
from tests.world import CAMILLE, CUTOFF


def test_a_visitor_ends_a_contract_from_the_foot_of_any_page(app: Flask, browse: Callable[..., Page]) -> None:
    page = browse(java_script_enabled=False)
    page.goto("/boutique")
    page.get_by_role("link", name="Résilier votre contrat").click()
    page.get_by_label("Nom et prénom").fill("Camille Aubert")
    page.get_by_label("Adresse e-mail").fill("camille")
    page.get_by_label("Votre contrat").fill("mon panier du mardi")
    page.get_by_role("button", name="Continuer").click()
    page.get_by_label("Adresse e-mail").fill(CAMILLE)
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("button", name="Modifier").click()
    expect(page.get_by_label("Votre contrat")).to_have_value("mon panier du mardi")
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("button", name="Notifier la résiliation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Résiliation reçue")
    work(app)
    with own_transaction() as session:
        texts = session.scalars(select(Mail.text).where(Mail.text.contains("/lien/resiliation/")))
        way = re.search(r"/lien/resiliation/\S+", texts.one())
    page.goto(way[0])
    page.get_by_label("Œufs").uncheck()
    page.get_by_role("button", name="Confirmer la résiliation").click()
    expect(page.get_by_text("Fin du contrat : le mercredi 10 juin 2026.")).to_be_visible()
    page.get_by_label("Pourquoi partez-vous ?").fill("Je déménage.")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_text("Merci de nous l'avoir dit.")).to_be_visible()


def test_a_forgotten_box_is_given_and_taken_back(browse: Callable[..., Page], clock: Traveller) -> None:
    with own_transaction() as session:
        leave(session)
    clock.move_to(CUTOFF)
    page = browse(CAMILLE, java_script_enabled=False)
    page.goto("/espace")
    page.get_by_role("button", name="Le donner à l'épicerie solidaire").click()
    expect(page.get_by_text("Ce panier va à l'épicerie solidaire.")).to_be_visible()
    page.get_by_role("button", name="Finalement, je le retire").click()
    expect(page.get_by_text("Quelqu'un d'autre passe")).to_be_visible()
