"""What a browser alone can show of signing in: its own keys, and a code that is copied from a phone."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from pyotp import TOTP
from sqlalchemy import select
from time_machine import Traveller

from portal.accounts.models import Passkey
from portal.infra import clock as farm_clock
from portal.infra.orm import own_transaction
from tests.browser.test_sign_in import sign_in
from tests.world import CAMILLE, PASSPHRASE

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def by_name(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site under a name: an address of numbers has no passkeys."""
    settings = app.config["SETTINGS"]
    named = replace(settings, base_url=settings.base_url.replace("127.0.0.1", "localhost"))
    for key, value in {"SETTINGS": named, "SERVER_NAME": named.host, "TRUSTED_HOSTS": ["localhost"]}.items():
        monkeypatch.setitem(app.config, key, value)


@pytest.mark.usefixtures("by_name")
def test_a_passkey_is_made_opens_the_account_proves_its_owner_and_goes(
    browse: Callable[..., Page], clock: Traveller
) -> None:
    page = browse(CAMILLE)
    phone = page.context.new_cdp_session(page)
    phone.send("WebAuthn.enable")
    phone.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto("/mon-compte/securite")
    page.get_by_role("link", name="Ajouter une clé d'accès").click()
    page.get_by_label("Nom de la clé").fill("Mon téléphone")
    page.get_by_role("button", name="Faire la clé").click()
    expect(page.locator(".flash")).to_contain_text("Votre clé d'accès est prête")
    page.get_by_role("link", name="Ajouter une clé d'accès").click()
    page.get_by_label("Nom de la clé").fill("La même")
    page.get_by_role("button", name="Faire la clé").click()
    expect(page.get_by_text("cet appareil en a déjà une")).to_be_visible()

    page.context.clear_cookies()
    page.goto("/planning")
    page.get_by_role("button", name="Entrer avec une clé d'accès").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Planning")
    clock.shift(timedelta(hours=1))
    page.goto("/mon-compte/securite/deux-etapes")
    page.get_by_role("button", name="Avec une clé d'accès").click()
    expect(page.get_by_role("button", name="Commencer")).to_be_visible()
    with own_transaction() as session:
        assert session.scalars(select(Passkey.used_at)).all() == [farm_clock.now()]

    page.goto("/mon-compte/securite")
    page.get_by_role("button", name="Enlever la clé Mon téléphone").click()
    expect(page.locator(".flash")).to_contain_text("n'ouvre plus votre compte")
    page.context.clear_cookies()
    page.goto("/connexion")
    page.get_by_role("button", name="Entrer avec une clé d'accès").click()
    expect(page.get_by_text("n'ouvre aucun compte")).to_be_visible()


def test_a_code_of_the_phone_is_asked_for_and_a_kept_one_stands_in(
    browse: Callable[..., Page], javascript: bool, clock: Traveller
) -> None:
    page = browse(CAMILLE, java_script_enabled=javascript)
    page.goto("/mon-compte/securite")
    page.get_by_role("link", name="Mettre en service").click()
    page.get_by_role("button", name="Commencer").click()
    totp = TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.get_by_label("Code à six chiffres").fill(totp.at(farm_clock.now()))
    page.get_by_role("button", name="Mettre en service").click()
    kept = page.locator(".recovery-codes li").first.inner_text()
    page.get_by_role("link", name="Je les ai gardés").click()
    clock.shift(30)

    page.context.clear_cookies()
    page.goto("/planning")
    sign_in(page, CAMILLE, PASSPHRASE)
    page.get_by_label("Code à six chiffres").fill(totp.at(farm_clock.now()))
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Planning")

    page.context.clear_cookies()
    page.goto("/connexion")
    sign_in(page, CAMILLE, PASSPHRASE)
    page.get_by_text("Je n'ai pas mon téléphone").click()
    page.get_by_label("Code de secours").fill(kept)
    page.get_by_role("button", name="Utiliser ce code").click()
    expect(page).to_have_url(re.compile("/espace$"))
