"""Signing in and out, and the way back in for who has forgotten the password."""

import re
from collections.abc import Callable

from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from tests.browser.helpers import work
from tests.world import CAMILLE, PASSPHRASE, STAFF

NEW_PASSPHRASE = "sept mots de plus pour ouvrir la porte"


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("Adresse e-mail").fill(email)
    page.get_by_label("Mot de passe", exact=True).fill(password)
    page.get_by_role("button", name="Se connecter").click()


def test_from_the_shop_window_to_the_next_box_and_out_again(
    browse: Callable[..., Page], javascript: bool
) -> None:
    page = browse(java_script_enabled=javascript)
    page.goto("/")
    page.get_by_role("link", name="Connexion").click()
    sign_in(page, CAMILLE, PASSPHRASE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Bonjour Camille")
    page.get_by_role("banner").get_by_role("link", name="Camille Mon compte").click()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("link", name="Connexion")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")  # nothing of hers is kept


def test_staff_arrive_at_the_farm(browse: Callable[..., Page]) -> None:
    page = browse()
    page.goto("/connexion")
    sign_in(page, STAFF, PASSPHRASE)
    expect(page).to_have_url(re.compile("/ferme$"))


def test_who_asked_for_a_page_arrives_there(browse: Callable[..., Page], javascript: bool) -> None:
    page = browse(java_script_enabled=javascript)
    page.goto("/planning")
    sign_in(page, CAMILLE, PASSPHRASE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Planning")


def test_a_wrong_password_is_said_where_one_looks(browse: Callable[..., Page], javascript: bool) -> None:
    page = browse(java_script_enabled=javascript)
    page.goto("/connexion")
    sign_in(page, CAMILLE, "navets")
    said = page.locator(".flash", has_text="Cette adresse et ce mot de passe ne vont pas ensemble")
    expect(said).to_be_focused()
    expect(page.get_by_label("Adresse e-mail")).to_have_value(CAMILLE)
    expect(page.get_by_label("Mot de passe", exact=True)).to_have_value("")
    page.goto("/espace")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")


def test_what_is_typed_can_be_shown_where_that_works(browse: Callable[..., Page], javascript: bool) -> None:
    page = browse(java_script_enabled=javascript)
    page.goto("/connexion")
    show = page.get_by_role("button", name="Afficher")
    if not javascript:
        expect(show).to_be_hidden()
        return
    password = page.get_by_label("Mot de passe", exact=True)
    password.fill("navets")
    show.click()
    expect(password).to_have_attribute("type", "text")
    expect(show).to_have_attribute("aria-pressed", "true")
    show.click()
    expect(password).to_have_attribute("type", "password")


def test_who_has_forgotten_the_password_chooses_a_new_one(
    app: Flask, browse: Callable[..., Page], javascript: bool
) -> None:
    page = browse(java_script_enabled=javascript)
    page.goto("/connexion")
    page.get_by_role("link", name="Mot de passe oublié").click()
    page.get_by_label("Adresse e-mail").fill(CAMILLE)
    page.get_by_role("button", name="Recevoir le lien").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Regardez votre boîte de réception")

    work(app)
    page.goto(link_in_the_mail())
    password = page.get_by_label("Nouveau mot de passe")
    password.fill("navets")
    page.get_by_role("button", name="Changer le mot de passe").click()
    expect(password).to_have_attribute("aria-invalid", "true")
    expect(password).to_be_focused()

    password.fill(NEW_PASSPHRASE)
    page.get_by_role("button", name="Changer le mot de passe").click()
    expect(page.get_by_text("Votre mot de passe a été changé.")).to_be_visible()
    sign_in(page, CAMILLE, NEW_PASSPHRASE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Bonjour Camille")


def test_a_link_serves_once(app: Flask, browse: Callable[..., Page]) -> None:
    page = browse(java_script_enabled=False)
    page.goto("/mot-de-passe-oublie")
    page.get_by_label("Adresse e-mail").fill(CAMILLE)
    page.get_by_role("button", name="Recevoir le lien").click()
    work(app)
    for _ in range(2):  # opening it uses nothing up: mail scanners do
        page.goto(link_in_the_mail())
    page.get_by_label("Nouveau mot de passe").fill(NEW_PASSPHRASE)
    page.get_by_role("button", name="Changer le mot de passe").click()
    page.goto(link_in_the_mail())
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce lien ne sert plus")


def test_somebody_begins_an_account_on_the_phone(
    app: Flask, browse: Callable[..., Page], javascript: bool
) -> None:
    page = browse(java_script_enabled=javascript)
    page.goto("/connexion?next=/boutique")
    page.get_by_role("link", name="Créez-en un").click()
    page.get_by_label("Adresse e-mail").fill("jeanne@gmial.com")
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.get_by_text("jeanne@gmail.com")).to_be_visible()
    page.get_by_label("Adresse e-mail").fill("jeanne@gmail.com")
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.get_by_label("Code")).to_be_focused()

    work(app)
    page.get_by_label("Code").fill("000 000" if code_in_the_mail() != "000 000" else "1")
    page.get_by_role("button", name="Continuer").click()
    expect(page.locator(".flash-error")).to_be_focused()
    page.get_by_label("Code").fill(code_in_the_mail())
    page.get_by_role("button", name="Continuer").click()

    page.get_by_label("Prénom").fill("Jeanne")
    page.get_by_label("Nom", exact=True).fill("Dupont")
    page.get_by_label("Une phrase tirée au sort").check()
    phrase = page.locator(".idea-words").inner_text()
    expect(page.get_by_label("Mot de passe", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Créer mon compte").click()
    expect(page.get_by_text("Bienvenue Jeanne")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("boutique")
    page.get_by_role("link", name="Mon compte").first.click()
    page.get_by_role("button", name="Se déconnecter").click()
    page.goto("/connexion")
    sign_in(page, "jeanne@gmail.com", phrase)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Jeanne")


def test_a_browser_keeps_one_cookie_and_nothing_else(browse: Callable[..., Page]) -> None:
    page = browse()
    page.goto("/connexion")
    sign_in(page, CAMILLE, PASSPHRASE)
    page.goto("/planning")
    [cookie] = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("session", True, "Lax")
    stores = "async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length]"
    assert page.evaluate(stores) == [0, 0, 0]


def link_in_the_mail() -> str:
    with own_transaction() as session:
        text = session.scalars(select(Mail.text).where(Mail.secret).order_by(Mail.id.desc())).first()
    return re.search(r"http\S+/lien/\S+", text)[0]


def code_in_the_mail() -> str:
    with own_transaction() as session:
        text = session.scalars(select(Mail.text).where(Mail.secret).order_by(Mail.id.desc())).first()
    return re.search(r"\b\d{3}\s\d{3}\b", text)[0]
