"""Every page of the site, and the states that a page can be brought into: what is looked at as a whole."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from itsdangerous import URLSafeSerializer
from playwright.sync_api import Locator, Page, expect
from pyotp import TOTP
from sqlalchemy import select, update
from time_machine import Traveller

from portal.accounts.jobs import answer_mail_requests
from portal.accounts.models import Account
from portal.billing.issuing import issue_for_order
from portal.billing.models import Invoice
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.planning.taps import digest
from portal.rules.orders import OrderState
from portal.shop.models import Order
from tests.accounts.letters import CODE
from tests.browser.helpers import FAILED, KEPT, TOKEN
from tests.conftest import SECRET
from tests.farm.forms import CLOSING, CLOSURE
from tests.world import ADMIN, CAMILLE, CUTOFF, NOW, PASSPHRASE, STAFF, YACINE

LONG_AFTER = NOW + timedelta(days=60)
"""What is billed is due."""


@dataclass(frozen=True)
class Sight:
    """`reach` does on the page what brings it into the state; a page without an endpoint is one that refuses."""

    endpoint: str | None
    who: str | None
    path: str
    reach: Callable[[Page, Traveller], None] | None = None
    at: datetime = NOW

    def __str__(self) -> str:
        state = f" {self.reach.__name__}" if self.reach else ""
        return f"{self.path} {self.at:%d.%m.}{state}" if self.at != NOW else f"{self.path}{state}"


def wrong_password(page: Page, clock: Traveller) -> None:
    page.get_by_label("Adresse e-mail").fill(CAMILLE)
    page.get_by_label("Mot de passe", exact=True).fill("navets")
    page.get_by_role("button", name="Se connecter").click()
    expect(page.locator(".flash-error")).to_be_visible()


def why_so_much(page: Page, clock: Traveller) -> None:
    page.locator("main summary").first.click()
    expect(page.locator("main details[open] li").first).to_be_visible()


def nothing_typed(page: Page, clock: Traveller) -> None:
    page.locator("main [type=submit]").first.click()
    expect(page.locator("[aria-invalid]").first).to_be_visible()


def nothing_paid(page: Page, clock: Traveller) -> None:
    page.get_by_label("Montant").fill("")
    page.get_by_role("button", name="Noter le règlement").click()
    expect(page.locator("[aria-invalid]").first).to_be_visible()


def nothing_typed_of_a_pile(page: Page, clock: Traveller) -> None:
    page.get_by_label("ligne 2").first.fill("C99999")
    page.get_by_role("button", name="Noter toute la pile").click()
    expect(page.locator("[aria-invalid]").first).to_be_visible()


def mistyped(page: Page, clock: Traveller) -> None:
    page.get_by_label("Adresse e-mail").fill("jeanne@gmial.com")
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.get_by_text("jeanne@gmail.com")).to_be_visible()


def asked_for_code(page: Page, clock: Traveller) -> None:
    page.get_by_label("Adresse e-mail").fill("jeanne@example.org")
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.get_by_label("Code")).to_be_visible()


def proven(page: Page, clock: Traveller) -> None:
    asked_for_code(page, clock)
    answer_mail_requests()
    with own_transaction() as session:
        text = session.scalars(select(Mail.text).order_by(Mail.id.desc())).first()
    page.get_by_label("Code").fill(CODE.search(text or "")[0])
    page.get_by_role("button", name="Continuer").click()
    nothing_typed(page, clock)


def ordered_as_a_guest(page: Page, clock: Traveller) -> None:
    with own_transaction() as session:
        session.execute(update(Order).where(Order.account_id.is_(None)).values(email=CAMILLE))
    page.goto("/commandes/rattachement")
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.get_by_label("Code reçu par mail")).to_be_visible()


def billed_as_a_guest(page: Page, clock: Traveller) -> None:
    with own_transaction() as session:
        order = session.scalars(select(Order).where(Order.account_id.is_(None)).order_by(Order.id)).first()
        assert order
        order.state = OrderState.DELIVERED
        for line in order.lines:
            line.given = line.quantity
        session.flush()
        made = issue_for_order(session, order.id, by=None)
        assert isinstance(made, Invoice), made
    page.reload()
    page.locator("#facture a").click()
    expect(page.get_by_text("Le PDF est en préparation")).to_be_visible()


def weak_password(page: Page, clock: Traveller) -> None:
    if page.url.endswith("/mon-compte/mot-de-passe"):
        page.get_by_label("Mot de passe actuel").fill(PASSPHRASE)
    page.get_by_label("Nouveau mot de passe").fill("navets")
    page.get_by_role("button", name="Changer le mot de passe").click()
    expect(page.locator("[aria-invalid]").first).to_be_visible()


def other_mailbox_asked(page: Page, clock: Traveller) -> None:
    page.get_by_label("Adresse e-mail de l'autre compte").fill(YACINE)
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.get_by_label("Code reçu par mail")).to_be_focused()


def other_mailbox_proven(page: Page, clock: Traveller) -> None:
    other_mailbox_asked(page, clock)
    with own_transaction() as session:
        session.scalars(select(Account).where(Account.email == CAMILLE)).one().email_proven_at = NOW
        sent = session.scalars(select(Mail.text).order_by(Mail.id.desc())).first()
    page.get_by_label("Code reçu par mail").fill("".join(re.findall(r"\d{3}", sent or "")[:2]))
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("button", name="Réunir les deux comptes")).to_be_visible()


def asked_again(page: Page, clock: Traveller) -> None:
    clock.shift(timedelta(hours=1))
    page.goto("/mon-compte/preuve")
    expect(page.get_by_label("Mot de passe actuel")).to_be_visible()


def begun(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Commencer").click()
    expect(page.locator(".qr")).to_be_visible()


def half_way(page: Page, clock: Traveller) -> None:
    begun(page, clock)
    totp = TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.get_by_label("Code à six chiffres").fill(totp.at(NOW))
    page.get_by_role("button", name="Mettre en service").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.context.clear_cookies()
    page.goto("/connexion")
    page.get_by_label("Adresse e-mail").fill(CAMILLE)
    page.get_by_label("Mot de passe", exact=True).fill(PASSPHRASE)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_label("Code à six chiffres")).to_be_focused()


def another_price(page: Page, clock: Traveller) -> None:
    page.get_by_text("Un autre prix").click()
    page.get_by_role("button", name="Enregistrer le prix").click()
    expect(page.locator("#prix [aria-invalid]").first).to_be_visible()


def dearer(page: Page, clock: Traveller) -> None:
    page.get_by_text("Un autre prix").click()
    page.get_by_label("Prix TTC par livraison").fill("99")
    page.get_by_label("À partir du").fill("2026-06-11")
    page.get_by_role("button", name="Enregistrer le prix").click()
    expect(page.locator("#prix [aria-invalid]")).to_be_visible()


def counted(page: Page, clock: Traveller) -> None:
    page.get_by_label("Quantité").fill("3")
    page.get_by_role("button", name="Ajouter", exact=True).click()
    expect(page.locator("#stock")).to_contain_text("15")


def too_few(page: Page, clock: Traveller) -> None:
    page.get_by_label("Quantité").fill("30")
    page.get_by_role("button", name="Retirer", exact=True).click()
    expect(page.locator("#stock [aria-invalid]")).to_be_visible()


def previewed(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Voir avant de publier").click()
    expect(page.get_by_role("button", name="Publier", exact=True)).to_be_visible()


def refused_without_reason(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Refuser", exact=True).click()
    expect(page.get_by_label("Pourquoi ?")).to_have_attribute("aria-invalid", "true")


def far_weight(page: Page, clock: Traveller) -> None:
    page.get_by_label("Poids en kilos").fill("4,8")
    page.get_by_label("Poids en kilos").press("Enter")
    expect(page.get_by_text("Loin des 500")).to_be_visible()


def no_weight(page: Page, clock: Traveller) -> None:
    page.get_by_label("Poids en kilos").evaluate("input => { input.value = 'x'; input.form.submit() }")
    expect(page.locator("[aria-invalid]")).to_be_visible()


def ticked(page: Page, clock: Traveller) -> None:
    page.locator(".shed-tick").first.click()
    expect(page.locator("#fait")).to_have_text("1")
    page.locator(".part").evaluate_all("parts => parts.forEach(part => part.open = true)")


def no_reason_given(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Corriger").click()
    expect(page.locator("[aria-invalid]")).to_be_visible()


def box_taken_off(page: Page, clock: Traveller) -> None:
    page.get_by_label("Combien").fill("0")
    page.get_by_label("Pourquoi").fill("Absente, elle a téléphoné.")
    page.get_by_role("button", name="Corriger").click()
    expect(page.get_by_text("pas de panier")).to_be_visible()


def choosing(page: Page, clock: Traveller) -> None:
    page.locator(".dialog > summary").first.click()
    expect(page.get_by_role("group", name="Que voulez-vous sauter")).to_be_visible()


def skipped(page: Page, clock: Traveller) -> None:
    choosing(page, clock)
    page.get_by_role("button", name="Sauter", exact=True).click()
    _leave_the_order(page)
    expect(page.locator(".flash-success")).to_be_visible()


def asked(page: Page, clock: Traveller) -> None:
    choosing(page, clock)
    page.get_by_role("button", name="Sauter", exact=True).click()
    expect(_left_alone(page)).to_be_visible()


def asked_on_a_page(page: Page, clock: Traveller) -> None:
    _submit_skip(page)
    expect(_left_alone(page)).to_be_visible()


def _left_alone(page: Page) -> Locator:
    """An order travels with Tuesday's boxes: one of the answers to what becomes of it."""
    return page.get_by_role("button", name="quand même")


def _leave_the_order(page: Page) -> None:
    _left_alone(page).click()


def skipped_as_a_form(page: Page, clock: Traveller) -> None:
    _submit_skip(page)
    _leave_the_order(page)
    expect(page.locator(".flash-success")).to_be_visible()


def too_late(page: Page, clock: Traveller) -> None:
    clock.move_to(CUTOFF)
    _submit_skip(page)
    expect(page.get_by_role("heading", name="Rien n'a été changé")).to_be_visible()


def _submit_skip(page: Page) -> None:
    """As the browser does without HTMX."""
    page.locator("form[action$='/2026-06-15/saut']").evaluate("form => form.submit()")


def all_open(page: Page, clock: Traveller) -> None:
    page.locator(".act").evaluate_all("acts => acts.forEach(act => act.open = true)")
    expect(page.get_by_role("button", name="Retirer là pour cette fois")).to_be_visible()


def postponed(page: Page, clock: Traveller) -> None:
    page.get_by_text("Reporter à une autre date").click()
    page.get_by_label("mardi 23 juin").check()
    page.get_by_role("button", name="Reporter", exact=True).click()
    _leave_the_order(page)
    expect(page.locator(".flash-success")).to_be_visible()


def with_address(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Créer mon adresse").click()
    expect(page.get_by_label("Votre adresse")).to_be_visible()


def nothing_named(page: Page, clock: Traveller) -> None:
    page.locator("main form[method=get]").evaluate("form => { form.noValidate = true; form.submit() }")
    expect(page.locator("[aria-invalid]").first).to_be_visible()


def looked_for(page: Page, clock: Traveller) -> None:
    page.get_by_label("Chercher un produit").fill("seigle")
    expect(page.locator(".ware")).to_have_count(1)


def searched(page: Page, clock: Traveller) -> None:
    page.keyboard.type("aub")  # where one lands
    expect(page.get_by_role("rowheader")).to_have_count(1)


def seen_as(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Planning", exact=True).click()
    expect(page.get_by_role("button", name="Terminer")).to_be_visible()


def taken(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Ajouter : Miel").click()
    expect(page.get_by_role("button", name="Retirer : Miel")).to_be_visible()


def wished(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Dans mes envies : Miel").click()
    expect(page.locator("[aria-pressed=true]")).to_be_visible()


def wished_all(page: Page, clock: Traveller) -> None:
    page.goto("/boutique")
    for name in ("Miel", "Carottes"):
        page.get_by_role("button", name=f"Dans mes envies : {name}").click()
    expect(page.locator("[aria-pressed=true]")).to_have_count(2)
    page.goto("/envies")


def refused_cell(page: Page, clock: Traveller) -> None:
    cell = page.get_by_label("Carottes, Grand panier")
    cell.fill("beaucoup")
    cell.press("Enter")
    expect(page.locator(".cell-problem")).to_be_visible()


def refused_cells(page: Page, clock: Traveller) -> None:
    page.get_by_label("Carottes, Grand panier").evaluate(
        "input => { input.value = 'x'; input.form.submit() }"
    )
    expect(page.locator(".cell-problem")).to_be_visible()


def asked_before_replacing(page: Page, clock: Traveller) -> None:
    for answer in ("Les paniers sont copiés.", "Les remplacer par ceux"):
        page.get_by_text("Copier d'une livraison précédente").click()
        page.get_by_role("button", name="Copier", exact=True).click()
        expect(page.get_by_text(answer)).to_be_visible()


def on_the_map(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Sur la carte : Gare de Veynes").click()
    expect(page.locator(".bubble")).to_be_visible()


def too_small(page: Page, clock: Traveller) -> None:
    page.get_by_label("Places").fill("0")
    page.get_by_label("Grand panier").uncheck()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("n'est plus proposé ici")).to_be_visible()


def retired(page: Page, clock: Traveller) -> None:
    page.get_by_text("Ne plus proposer ce point").click()
    page.get_by_role("button", name="Ne plus le proposer").click()
    expect(page.get_by_text("Plus proposé", exact=True)).to_be_visible()


def no_reason(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Annuler la livraison").click()
    expect(page.get_by_label("Pourquoi ?")).to_have_attribute("aria-invalid", "true")


def no_cutoff(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Déplacer la livraison").click()
    expect(page.get_by_label("Modifiable jusqu'au")).to_have_attribute("aria-invalid", "true")


def confirmed(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Confirmer le changement").click()
    expect(page.get_by_role("button", name="Annuler ce changement").first).to_be_visible()


def chosen(page: Page, clock: Traveller) -> None:
    page.get_by_role("radio", name="Petit panier").check()
    page.get_by_role("button", name="Continuer").click()
    page.locator(".points-list").get_by_role("button", name="Choisir ce point").first.click()
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("link", name="Créer mon compte")).to_be_visible()


def joined_too_late(page: Page, clock: Traveller) -> None:
    clock.move_to(CUTOFF)
    for label, text in (("Adresse", "3 rue du Four"), ("Code postal", "05700"), ("Ville", "Serres")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("radio", name="virement").check()
    page.get_by_role("button", name="Commander avec obligation de paiement").click()
    expect(page.locator(".flash-error")).to_be_visible()


def another_date(page: Page, clock: Traveller) -> None:
    page.get_by_role("radio", name="Petit panier").check()
    page.get_by_role("button", name="Voir ce que cela change").click()
    clock.move_to(CUTOFF)
    page.locator("#apercu [type=submit]").click()
    expect(page.locator(".flash-error")).to_be_visible()


def emptied(page: Page, clock: Traveller) -> None:
    for left in (2, 1, 0):
        page.get_by_role("button", name="Retirer : Miel" if not left else "Moins : Miel").click()
        expect(page.locator(".take-number" if left else ".empty")).to_contain_text(str(left or "vide"))


def cart_left_behind(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Plus : Miel").click()
    expect(page.locator(".take-number")).to_contain_text("4")
    clock.move_to(CUTOFF)
    page.goto("/ma-commande")
    expect(page.get_by_role("button", name="Passer au mardi 23 juin")).to_be_visible()


def wrong_voucher(page: Page, clock: Traveller) -> None:
    page.get_by_label("Bon d'achat").fill("NAVETS")
    page.get_by_role("button", name="Utiliser").click()
    expect(page.locator("#bon-error")).to_be_visible()


def wrong_step(page: Page, clock: Traveller) -> None:
    page.get_by_label("Objet").first.fill("{{tout}}")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("[aria-invalid]")).to_be_visible()


def point_chosen(page: Page, clock: Traveller) -> None:
    page.get_by_label("Point de retrait", exact=True).select_option(index=3)
    expect(page.get_by_role("button", name="Choisir le jeudi 18 juin")).to_be_visible()


def nothing_given(page: Page, clock: Traveller) -> None:
    page.get_by_label("Prénom et nom").fill("")
    page.get_by_role("button", name="Commander avec obligation de paiement").click()
    expect(page.locator("[aria-invalid]").first).to_be_visible()


def ordered_too_late(page: Page, clock: Traveller) -> None:
    for label, text in (("Adresse", "3 rue du Four"), ("Code postal", "05700"), ("Ville", "Serres")):
        page.get_by_label(label, exact=True).fill(text)
    clock.move_to(CUTOFF)
    page.get_by_role("button", name="Commander avec obligation de paiement").click()
    expect(page.locator(".flash-error")).to_be_visible()


def order_cancelled(page: Page, clock: Traveller) -> None:
    page.get_by_text("Annuler la commande").click()
    page.get_by_role("button", name="Oui, annuler").click()
    expect(page.get_by_text("Votre commande est annulée")).to_be_visible()


def order_closed_meanwhile(page: Page, clock: Traveller) -> None:
    page.get_by_text("Annuler la commande").click()
    clock.move_to(CUTOFF)
    page.get_by_role("button", name="Oui, annuler").click()
    expect(page.locator(".flash-error")).to_be_visible()


def other_quantity(page: Page, clock: Traveller) -> None:
    page.get_by_label("Miel").select_option("4")
    expect(page.get_by_role("button", name="Commander avec obligation de paiement")).to_be_visible()


def too_many_jars(page: Page, clock: Traveller) -> None:
    page.get_by_label("Miel").select_option("20")
    page.get_by_role("button", name="Voir le nouveau total").click()
    expect(page.get_by_label("Miel")).to_have_attribute("aria-invalid", "true")


def renounced(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Confirmer la rétractation").click()
    expect(page.get_by_text("Votre rétractation est reçue")).to_be_visible()


def nobody_named(page: Page, clock: Traveller) -> None:
    page.get_by_label("Nom").fill("")
    page.get_by_role("button", name="Confirmer la rétractation").click()
    expect(page.get_by_label("Nom")).to_have_attribute("aria-invalid", "true")


def read_again(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("button", name="Notifier la résiliation")).to_be_visible()


def notified(page: Page, clock: Traveller) -> None:
    read_again(page, clock)
    page.get_by_role("button", name="Notifier la résiliation").click()
    expect(page.get_by_label("Pourquoi partez-vous ?")).to_be_visible()


def to_be_handed_over(page: Page, clock: Traveller) -> None:
    page.get_by_text("Quelqu'un d'autre passe").click()
    page.get_by_role("button", name="C'est cette personne qui passe").click()
    expect(page.get_by_label("Qui passe ?")).to_have_attribute("aria-invalid", "true")


def handed_over(page: Page, clock: Traveller) -> None:
    page.get_by_text("Quelqu'un d'autre passe").click()
    page.get_by_label("Qui passe ?").fill("Louise Roux")
    page.get_by_role("button", name="C'est cette personne qui passe").click()
    expect(page.get_by_text("Code à dire sur place")).to_be_visible()


def set_off(page: Page, clock: Traveller) -> None:
    page.get_by_role("button", name="Envoyer à").click()
    expect(page.get_by_role("button", name="Arrêter l'envoi")).to_be_visible()


GUEST = f"/lien/commande/{URLSafeSerializer(SECRET, salt='order').dumps(2)}"
"""Where a guest follows the order of carrots."""
CONTRACT = URLSafeSerializer(SECRET, salt="contract").dumps(1)
ENDING = URLSafeSerializer(SECRET, salt="termination").dumps([2, True])
TAP = URLSafeSerializer(SECRET, salt="tap").dumps(
    [1, [1, 2], "2026-06-15", True, digest(f"uniquifier-of-{CAMILLE}")]
)

MOVED = "formule=1&point=3&rythme=fortnight_a"
"""Other terms for Camille's large box."""

ORDERS = "/ferme/commandes/2026-06-16/mardi"
CLOSED = "/ferme/livraisons/2026-06-16/mardi"
"""Once its cutoff has passed."""

SIGHTS = (
    Sight("public.home", None, "/"),
    Sight("public.formulas", None, "/formules"),
    Sight("public.points", None, "/points-de-retrait"),
    Sight("public.points", None, "/points-de-retrait", on_the_map),
    Sight("public.points", None, "/points-de-retrait?ville=Serres&jour=mardi"),
    Sight("public.points", None, "/points-de-retrait?jour=lundi"),
    Sight("public.points", CAMILLE, "/points-de-retrait"),
    Sight("public.points", CAMILLE, "/points-de-retrait", on_the_map),
    Sight("security.login", None, "/connexion"),
    Sight("security.login", None, "/connexion", wrong_password),
    Sight("security.login", None, "/connexion", nothing_typed),
    Sight("public.begin_account", None, "/inscription", mistyped),
    Sight("public.ask_code", None, "/connexion/code"),
    Sight("public.enter_code", None, "/connexion/code", asked_for_code),
    Sight("public.give_name", None, "/inscription", proven),
    Sight("public.forgot_address", None, "/adresse-oubliee", nothing_typed),
    Sight("public.forgot_address_sent", None, "/adresse-oubliee/envoye"),
    Sight("public.shop", None, "/boutique"),
    Sight("public.shop", None, "/boutique", looked_for),
    Sight("public.shop", None, "/boutique", taken),
    Sight("public.shop", None, "/boutique?q=tracteur"),  # nothing
    Sight("public.cart", None, "/ma-commande"),
    Sight("public.cart", CAMILLE, "/ma-commande"),
    Sight("public.cart", CAMILLE, "/ma-commande", emptied),
    Sight("public.cart", CAMILLE, "/ma-commande", cart_left_behind),
    Sight("public.cart", CAMILLE, "/ma-commande", wrong_voucher),
    Sight("public.cart_delivery", CAMILLE, "/ma-commande/retrait"),
    Sight("public.cart_delivery", None, "/ma-commande/retrait", point_chosen),
    Sight("public.checkout", CAMILLE, "/ma-commande/validation"),
    Sight("public.checkout", CAMILLE, "/ma-commande/validation", nothing_given),
    Sight("public.checkout", CAMILLE, "/ma-commande/validation", ordered_too_late),
    Sight("public.conditions", None, "/conditions"),
    Sight("public.contact", None, "/contact", nothing_typed),
    Sight("public.questions", None, "/questions?q=mot+de+passe"),
    Sight("public.legal", None, "/mentions-legales"),
    Sight("public.privacy", None, "/confidentialite"),
    Sight("public.accessibility", None, "/accessibilite"),
    Sight("public.older_conditions", None, "/conditions/1"),
    Sight("public.shop", CAMILLE, "/boutique"),
    Sight("public.shop", CAMILLE, "/boutique", wished),
    Sight("public.article", None, "/boutique/miel"),
    Sight("public.article", CAMILLE, "/boutique/pain-de-seigle", at=CUTOFF),
    Sight("member.wishes", CAMILLE, "/envies"),  # empty
    Sight("member.wishes", CAMILLE, "/envies", wished_all),
    Sight("public.forgot_password", None, "/mot-de-passe-oublie"),
    Sight("public.forgot_password", None, "/mot-de-passe-oublie", nothing_typed),
    Sight("public.forgot_password_sent", None, "/mot-de-passe-oublie/envoye"),
    Sight("public.link", None, f"/lien/{TOKEN}"),
    Sight("public.link", None, f"/lien/{TOKEN}", weak_password),
    Sight("public.link", None, "/lien/used"),
    Sight("member.home", CAMILLE, "/espace"),
    Sight("member.home", CAMILLE, "/espace", choosing),
    Sight("member.home", CAMILLE, "/espace", skipped),
    Sight("member.home", CAMILLE, "/espace", asked),
    Sight("member.home", CAMILLE, "/espace", at=CUTOFF),
    Sight("member.home", STAFF, "/espace"),  # no subscription
    Sight("member.planning", CAMILLE, "/planning"),
    Sight("member.planning", CAMILLE, "/planning", skipped_as_a_form),
    Sight("member.planning", CAMILLE, "/planning", asked_on_a_page),
    Sight("member.planning", CAMILLE, "/planning", too_late),
    Sight("member.planning", CAMILLE, "/planning?semaines=52"),
    Sight("member.planning", STAFF, "/planning"),
    Sight("member.week", CAMILLE, "/planning/2026-06-15"),
    Sight("member.week", CAMILLE, "/planning/2026-06-15", all_open),
    Sight("member.week", CAMILLE, "/planning/2026-06-15", postponed),
    Sight("member.week", CAMILLE, "/planning/2026-06-15", at=CUTOFF),
    Sight("member.week", CAMILLE, "/planning/2026-06-29"),  # cancelled
    Sight("member.calendar", CAMILLE, "/planning/calendrier"),
    Sight("member.calendar", CAMILLE, "/planning/calendrier", with_address),
    Sight("member.suspension", CAMILLE, "/planning/suspension"),
    Sight("member.suspension", CAMILLE, "/planning/suspension", nothing_named),
    Sight(
        "member.suspension",
        CAMILLE,
        "/planning/suspension?du=2026-06-11&au=2026-07-15&abonnement=1&abonnement=2",
    ),
    Sight("member.suspension", STAFF, "/planning/suspension"),  # no subscription
    Sight("member.delivery", CAMILLE, "/livraisons/2026-06-16/mardi"),
    Sight("member.delivery", CAMILLE, "/livraisons/2026-06-16/mardi", to_be_handed_over, at=CUTOFF),
    Sight("member.delivery", CAMILLE, "/livraisons/2026-06-16/mardi", handed_over, at=CUTOFF),
    Sight("member.delivery", CAMILLE, "/livraisons/2026-06-18/jeudi"),  # not hers
    Sight("member.choose_point", CAMILLE, "/points-de-retrait/gare/choisir"),
    Sight("member.choose_point", CAMILLE, "/points-de-retrait/halle/choisir"),  # already hers
    Sight("member.choose_point", STAFF, "/points-de-retrait/gare/choisir"),  # no subscription
    Sight("member.subscriptions", CAMILLE, "/abonnements"),
    Sight("member.subscriptions", STAFF, "/abonnements"),  # none
    Sight("member.change_terms", CAMILLE, "/abonnements/1/modifier"),
    Sight("member.change_terms", CAMILLE, f"/abonnements/1/modifier?{MOVED}"),
    Sight("member.change_terms", CAMILLE, f"/abonnements/1/modifier?{MOVED}", confirmed),
    Sight("member.change_terms", CAMILLE, f"/abonnements/1/modifier?{MOVED}", another_date),
    Sight("member.change_terms", CAMILLE, "/abonnements/1/modifier?quantite=x"),
    Sight("member.wait", CAMILLE, "/liste-d-attente/cafe"),
    Sight("member.contracts", CAMILLE, "/mon-compte/contrats"),
    Sight("member.invoices", CAMILLE, "/factures", why_so_much),
    Sight("member.invoice", CAMILLE, "/factures/F2026-00001", why_so_much),
    Sight("member.payments", CAMILLE, "/paiements"),
    Sight("public.join", None, "/abonnement/nouveau"),
    Sight("public.join_point", CAMILLE, "/abonnement/nouveau/point-de-retrait"),
    Sight("public.join_deliveries", CAMILLE, "/abonnement/nouveau/livraisons"),
    Sight("public.join_account", None, "/abonnement/nouveau", chosen),
    Sight("public.join_summary", CAMILLE, "/abonnement/nouveau/recapitulatif", joined_too_late),
    Sight("member.orders", CAMILLE, "/commandes"),
    Sight("member.orders", STAFF, "/commandes"),  # none
    Sight("member.claiming", CAMILLE, "/commandes", ordered_as_a_guest),
    Sight("member.order", CAMILLE, "/commandes/1"),
    Sight("member.order", CAMILLE, "/commandes/1", order_cancelled),
    Sight("member.order", CAMILLE, "/commandes/1", order_closed_meanwhile),
    Sight("member.order", CAMILLE, "/commandes/1", at=CUTOFF),
    Sight("member.amend_order", CAMILLE, "/commandes/1/modification"),
    Sight("member.amend_order", CAMILLE, "/commandes/1/modification", other_quantity),
    Sight("member.amend_order", CAMILLE, "/commandes/1/modification", too_many_jars),
    Sight("member.withdraw_order", CAMILLE, "/commandes/1/retractation"),
    Sight("member.withdraw_order", CAMILLE, "/commandes/1/retractation", nobody_named),
    Sight("member.withdraw_order", CAMILLE, "/commandes/1/retractation", renounced),
    Sight("member.print_order", CAMILLE, "/commandes/1/impression"),
    Sight("public.guest_order", None, GUEST),
    Sight("public.guest_invoice", None, GUEST, billed_as_a_guest, at=CUTOFF + timedelta(days=2)),
    Sight("public.amend_guest_order", None, f"{GUEST}/modification"),
    Sight("public.withdraw_guest_order", None, f"{GUEST}/retractation"),
    Sight("public.print_guest_order", None, f"{GUEST}/impression"),
    Sight("public.withdrawal", None, "/retractation"),
    Sight("public.withdrawal", None, "/retractation", nothing_typed),
    Sight("public.withdrawal", CAMILLE, "/retractation"),
    Sight("public.renounce_contract", CAMILLE, f"/retractation/{CONTRACT}"),
    Sight("public.termination", None, "/resilier", nothing_typed),
    Sight("public.termination", CAMILLE, "/resilier", read_again),
    Sight("public.termination_receipt", CAMILLE, "/resilier", notified),
    Sight("public.confirm_termination", None, f"/lien/resiliation/{ENDING}"),
    Sight("member.account", CAMILLE, "/mon-compte"),
    Sight("member.letters", CAMILLE, "/mon-compte/lettres"),
    Sight("public.tap", None, f"/lien/panier/{TAP}"),
    Sight("public.tap", None, f"/lien/panier/{TAP}", at=CUTOFF),
    Sight(
        "public.letters",
        None,
        f"/lien/lettres/{URLSafeSerializer(SECRET, salt='letters').dumps([1, 'letter'])}",
    ),
    Sight("member.details", CAMILLE, "/mon-compte/informations"),
    Sight("member.mail_address", CAMILLE, "/mon-compte/adresse-mail"),
    Sight("member.bank", CAMILLE, "/mon-compte/coordonnees-bancaires"),
    Sight("member.mandate", CAMILLE, "/mon-compte/coordonnees-bancaires/mandat", nothing_typed),
    Sight("member.company", CAMILLE, "/mon-compte/entreprise"),
    Sight("member.household", CAMILLE, "/mon-compte/foyer"),
    Sight("member.addresses", CAMILLE, "/mon-compte/adresses"),
    Sight("member.new_address", CAMILLE, "/mon-compte/adresses/ajout"),
    Sight("member.edit_address", CAMILLE, "/mon-compte/adresses/1"),
    Sight("member.data", CAMILLE, "/mon-compte/donnees"),
    Sight("member.leave", STAFF, "/mon-compte/fermeture"),
    Sight("member.merge", CAMILLE, "/mon-compte/fusion", nothing_typed),
    Sight("member.prove_other", CAMILLE, "/mon-compte/fusion", other_mailbox_asked),
    Sight("member.confirm_merge", CAMILLE, "/mon-compte/fusion", other_mailbox_proven),
    Sight("member.security", CAMILLE, "/mon-compte/securite"),
    Sight("member.add_passkey", CAMILLE, "/mon-compte/securite/cles/ajout"),
    Sight("member.prove", CAMILLE, "/mon-compte/securite", asked_again),
    Sight("member.ways_in", CAMILLE, "/mon-compte/securite/entrees"),
    Sight("member.second_factor", CAMILLE, "/mon-compte/securite/deux-etapes", begun),
    Sight("public.second_factor", CAMILLE, "/mon-compte/securite/deux-etapes", half_way),
    Sight("member.change_password", CAMILLE, "/mon-compte/mot-de-passe", weak_password),
    Sight("farm.week", STAFF, "/ferme"),
    Sight("farm.deliveries", STAFF, "/ferme/livraisons"),
    Sight("farm.delivery", STAFF, "/ferme/livraisons/2026-06-16/mardi"),
    Sight("farm.delivery", STAFF, "/ferme/livraisons/2026-06-30/mardi"),  # cancelled
    Sight("farm.cancel_delivery", STAFF, "/ferme/livraisons/2026-06-16/mardi/annulation"),
    Sight("farm.cancel_delivery", STAFF, "/ferme/livraisons/2026-06-16/mardi/annulation", no_reason),
    Sight("farm.cancel_delivery", STAFF, "/ferme/livraisons/2026-06-09/mardi/annulation"),  # over
    Sight("farm.reinstate_delivery", STAFF, "/ferme/livraisons/2026-06-30/mardi/retablissement"),
    Sight("farm.move_delivery", STAFF, "/ferme/livraisons/2026-06-16/mardi/deplacement"),
    Sight("farm.move_delivery", STAFF, "/ferme/livraisons/2026-06-16/mardi/deplacement?jour=2026-06-17"),
    Sight("farm.move_delivery", STAFF, "/ferme/livraisons/2026-06-16/mardi/deplacement?jour=2026-06-23"),
    Sight(
        "farm.move_delivery",
        STAFF,
        "/ferme/livraisons/2026-06-16/mardi/deplacement?jour=2026-06-11",
        no_cutoff,
    ),
    Sight("farm.one_off_changes", STAFF, "/ferme/livraisons/2026-06-16/mardi/changements"),
    Sight("farm.packing", STAFF, f"{CLOSED}/preparation", ticked, CUTOFF),
    Sight("farm.corrections_made", STAFF, f"{CLOSED}/corrections?q=aubert", at=CUTOFF),
    Sight("farm.correct_box", STAFF, f"{CLOSED}/corrections/1", no_reason_given, CUTOFF),
    Sight("farm.correct_box", STAFF, f"{CLOSED}/corrections/1", box_taken_off, CUTOFF),
    Sight("farm.correct_order", STAFF, "/ferme/commandes/1/correction", at=CUTOFF),
    Sight("farm.holidays", STAFF, "/ferme/livraisons/feries"),
    Sight("farm.season", STAFF, "/ferme/livraisons/saison"),
    Sight("farm.farm_closure", STAFF, f"/ferme/livraisons/fermeture?{urlencode(CLOSURE, doseq=True)}"),
    Sight("farm.paper", STAFF, "/ferme/livraisons/2026-06-16/mardi/liste"),
    Sight("farm.paper", STAFF, "/ferme/livraisons/2026-06-16/mardi/recolte"),
    Sight("farm.paper", STAFF, "/ferme/livraisons/2026-06-16/mardi/etiquettes"),
    Sight("farm.paper", STAFF, "/ferme/livraisons/2026-06-16/mardi/tournee"),
    Sight("farm.paper", STAFF, "/ferme/livraisons/2026-06-16/mardi/emargement"),
    Sight("farm.paper", STAFF, "/ferme/livraisons/2026-06-30/mardi/liste"),
    Sight("farm.delivery_news", STAFF, "/ferme/livraisons/2026-06-16/mardi/nouveautes"),
    Sight("farm.compositions", STAFF, "/ferme/paniers/2026-06-16/mardi"),
    Sight("farm.compositions", STAFF, "/ferme/paniers/2026-06-16/mardi", refused_cell),
    Sight("farm.compositions", STAFF, "/ferme/paniers/2026-06-16/mardi", refused_cells),
    Sight("farm.compositions", STAFF, "/ferme/paniers/2026-06-23/mardi"),  # empty
    Sight("farm.compositions", STAFF, "/ferme/paniers/2026-06-23/mardi", asked_before_replacing),
    Sight("farm.compositions", STAFF, "/ferme/paniers/2026-06-09/mardi"),  # over
    Sight("farm.past_boxes", STAFF, "/ferme/paniers/2026-06-16/mardi/semaines/2"),
    Sight(
        "farm.box_shortage",
        STAFF,
        "/ferme/paniers/2026-06-16/mardi/manque/1?formule=2&point=1&remplacement=3",
    ),
    Sight("farm.formulas", STAFF, "/ferme/formules"),
    Sight("farm.new_formula", STAFF, "/ferme/formules/ajout"),
    Sight("farm.formula", STAFF, "/ferme/formules/2", dearer),
    Sight("farm.vegetables", STAFF, "/ferme/legumes"),
    Sight("farm.new_vegetable", STAFF, "/ferme/legumes/ajout", nothing_typed),
    Sight("farm.vegetable", STAFF, "/ferme/legumes/1"),
    Sight("farm.messages", STAFF, "/ferme/contact?etat=tous"),
    Sight("farm.message", STAFF, "/ferme/contact/1"),
    Sight("farm.questions", STAFF, "/ferme/questions"),
    Sight("farm.new_question", STAFF, "/ferme/questions/ajout"),
    Sight("farm.question", STAFF, "/ferme/questions/1"),
    Sight("farm.mailbox", STAFF, "/ferme/courrier"),
    Sight("farm.mailbox", STAFF, "/ferme/courrier/avant/1"),  # empty
    Sight("farm.mail", STAFF, f"/ferme/courrier/{KEPT}"),
    Sight("farm.mail", STAFF, f"/ferme/courrier/{FAILED}"),
    Sight("farm.index", ADMIN, "/ferme/sommaire"),
    Sight("farm.journal", ADMIN, "/ferme/journal"),
    Sight("farm.team", ADMIN, "/ferme/equipe"),
    Sight("farm.new_colleague", ADMIN, "/ferme/equipe/ajout"),
    Sight("farm.colleague", ADMIN, "/ferme/equipe/3"),
    Sight("farm.tours", STAFF, "/ferme/tournees"),
    Sight("farm.new_tour", STAFF, "/ferme/tournees/ajout"),
    Sight("farm.new_tour", STAFF, "/ferme/tournees/ajout", nothing_typed),
    Sight("farm.tour", STAFF, "/ferme/tournees/1"),
    Sight("farm.points", STAFF, "/ferme/points-de-retrait"),
    Sight("farm.new_point", STAFF, "/ferme/points-de-retrait/ajout"),
    Sight("farm.new_point", STAFF, "/ferme/points-de-retrait/ajout", nothing_typed),
    Sight("farm.point", STAFF, "/ferme/points-de-retrait/1"),
    Sight("farm.point", STAFF, "/ferme/points-de-retrait/1", too_small),
    Sight("farm.point", STAFF, "/ferme/points-de-retrait/2", retired),
    Sight("farm.waiting_list", STAFF, "/ferme/points-de-retrait/4/attente"),
    Sight("farm.point_closings", STAFF, f"/ferme/points-de-retrait/1/fermetures?{urlencode(CLOSING)}"),
    Sight("farm.departures_list", STAFF, "/ferme/resiliations"),
    Sight("farm.orders", STAFF, "/ferme/commandes"),
    Sight("farm.orders", STAFF, "/ferme/commandes?q=aub"),
    Sight("farm.orders", STAFF, "/ferme/commandes?q=tracteur"),  # nobody
    Sight("farm.delivery_orders", STAFF, ORDERS),
    Sight("farm.delivery_orders", STAFF, f"{ORDERS}?produit=1&qui=abonnes"),
    Sight("farm.delivery_orders", STAFF, "/ferme/commandes/2026-06-18/jeudi"),  # none
    Sight("farm.order", STAFF, "/ferme/commandes/1"),
    Sight("farm.order", STAFF, "/ferme/commandes/1", refused_without_reason),
    Sight("farm.order", STAFF, "/ferme/commandes/2", at=CUTOFF),
    Sight("farm.weighing", STAFF, f"{ORDERS}/pesee"),
    Sight("farm.weighing", STAFF, f"{ORDERS}/pesee", far_weight),
    Sight("farm.weighing", STAFF, f"{ORDERS}/pesee", no_weight),
    Sight("farm.weighing", STAFF, "/ferme/commandes/2026-06-18/jeudi/pesee"),  # nothing
    Sight("farm.shortage", STAFF, f"{ORDERS}/manque/1"),
    Sight("farm.shortage", STAFF, f"{ORDERS}/manque/1?reste=1&partager=1&remplacement=2"),
    Sight("farm.shortage", STAFF, f"{ORDERS}/manque/1?reste=x&partager=1&ligne-1=9"),
    Sight("farm.preparation_sheet", STAFF, f"{ORDERS}/produits"),
    Sight("farm.slips", STAFF, f"{ORDERS}/bordereaux"),
    Sight("farm.point_sheets", STAFF, f"{ORDERS}/points"),
    Sight("farm.supplier_sheets", STAFF, f"{ORDERS}/fournisseurs"),
    Sight("farm.products", STAFF, "/ferme/produits"),
    Sight("farm.products", STAFF, "/ferme/produits?q=tracteur"),  # nothing
    Sight("farm.new_product", STAFF, "/ferme/produits/ajout"),
    Sight("farm.new_product", STAFF, "/ferme/produits/ajout", nothing_typed),
    Sight("farm.product", STAFF, "/ferme/produits/1"),
    Sight("farm.product", STAFF, "/ferme/produits/1", another_price),
    Sight("farm.product", STAFF, "/ferme/produits/1", counted),
    Sight("farm.product", STAFF, "/ferme/produits/1", too_few),
    Sight("farm.product", STAFF, "/ferme/produits/2"),  # counted by delivery
    Sight("farm.shelves", STAFF, "/ferme/produits/rayons"),
    Sight("farm.new_shelf", STAFF, "/ferme/produits/rayons/ajout"),
    Sight("farm.new_shelf", STAFF, "/ferme/produits/rayons/ajout", nothing_typed),
    Sight("farm.shelf", STAFF, "/ferme/produits/rayons/1"),
    Sight("farm.suppliers", STAFF, "/ferme/produits/fournisseurs"),
    Sight("farm.new_supplier", STAFF, "/ferme/produits/fournisseurs/ajout"),
    Sight("farm.supplier", STAFF, "/ferme/produits/fournisseurs/1"),
    Sight("farm.people", STAFF, "/ferme/abonnes", searched),
    Sight("farm.new_person", STAFF, "/ferme/abonnes/ajout"),
    Sight("farm.person", STAFF, "/ferme/abonnes/1"),
    Sight("farm.person", STAFF, "/ferme/abonnes/1", seen_as),
    Sight("farm.contact", STAFF, "/ferme/abonnes/1/coordonnees"),
    Sight(
        "farm.new_subscription",
        STAFF,
        "/ferme/abonnes/1/abonnements/ajout?formule=1&quantite=1&rythme=weekly&point=1",
    ),
    Sight("farm.ending_subscription", STAFF, "/ferme/abonnes/1/abonnements/1/fin?jour=2026-06-17"),
    Sight("farm.invoices", STAFF, "/ferme/factures?toutes=oui"),
    Sight("farm.invoice_month", STAFF, "/ferme/factures/2026-05"),
    Sight("farm.invoice_preview", STAFF, "/ferme/factures/2026-05/apercu"),
    Sight("farm.invoice", STAFF, "/ferme/factures/F2026-00001"),
    Sight("farm.crediting", STAFF, "/ferme/factures/F2026-00001/avoir"),
    Sight("farm.gesture", STAFF, "/ferme/factures/F2026-00001/geste", nothing_typed),
    Sight("farm.billing_person", STAFF, "/ferme/abonnes/1/facturation"),
    Sight("farm.billing_settings", ADMIN, "/ferme/reglages/facturation"),
    Sight("farm.payments_list", STAFF, "/ferme/reglements"),
    Sight("farm.new_payment", STAFF, "/ferme/reglements/ajout?q=aub"),
    Sight("farm.new_payment", STAFF, "/ferme/reglements/ajout?de=C10001", nothing_paid),
    Sight("farm.pile", STAFF, "/ferme/reglements/pile", nothing_typed_of_a_pile),
    Sight("farm.payment", STAFF, "/ferme/reglements/2"),
    Sight("farm.payer_account", STAFF, "/ferme/reglements/compte/C10002"),
    Sight("farm.books", STAFF, "/ferme/reglements/journal?verifier=oui"),
    Sight("farm.accounting", STAFF, "/ferme/factures/comptabilite?du=2026-06-01&au=2026-06-30"),
    Sight("farm.ledger_accounts", STAFF, "/ferme/factures/comptabilite/comptes"),
    Sight("farm.figures", STAFF, "/ferme/chiffres"),
    Sight("farm.exchange", STAFF, "/ferme/imports"),
    Sight("farm.table_import", STAFF, "/ferme/imports/1"),
    Sight("farm.all_campaigns", STAFF, "/ferme/messages"),
    Sight("farm.new_campaign", STAFF, "/ferme/messages/ajout", nothing_typed),
    Sight("farm.campaign", STAFF, "/ferme/messages/1"),
    Sight("farm.campaign", STAFF, "/ferme/messages/1", set_off),
    Sight("farm.change_campaign", STAFF, "/ferme/messages/1/modification"),
    Sight("farm.debits", STAFF, "/ferme/prelevements?q=aubert"),
    Sight("farm.debits_of_day", STAFF, "/ferme/prelevements/2026-06-16"),
    Sight("farm.debit", STAFF, "/ferme/prelevements/2", nothing_typed),
    Sight("farm.bank", STAFF, "/ferme/banque"),
    Sight("farm.bank_line", STAFF, "/ferme/banque/2?q=aubert"),
    Sight("farm.debtors", STAFF, "/ferme/impayes", at=LONG_AFTER),
    Sight("farm.reminders_to_send", STAFF, "/ferme/impayes/relances", at=LONG_AFTER),
    Sight("farm.reminder_settings", STAFF, "/ferme/reglages/relances", wrong_step),
    Sight("farm.vouchers", STAFF, "/ferme/bons"),
    Sight("farm.new_voucher", STAFF, "/ferme/bons/ajout"),
    Sight("farm.new_voucher", STAFF, "/ferme/bons/ajout", nothing_typed),
    Sight("farm.shop_settings", ADMIN, "/ferme/reglages/boutique"),
    Sight("farm.conditions", ADMIN, "/ferme/reglages/conditions"),
    Sight("farm.conditions_version", ADMIN, "/ferme/reglages/conditions/1"),
    Sight("farm.new_conditions", ADMIN, "/ferme/reglages/conditions/ajout"),
    Sight("farm.new_conditions", ADMIN, "/ferme/reglages/conditions/ajout", previewed),
    Sight("farm.settings", ADMIN, "/ferme/reglages"),
    Sight("farm.pages", ADMIN, "/ferme/reglages/pages"),
    Sight("farm.page", ADMIN, "/ferme/reglages/pages/privacy"),
    Sight("farm.all_news", STAFF, "/ferme/reglages/nouvelles"),
    Sight("farm.new_news", STAFF, "/ferme/reglages/nouvelles/ajout"),
    Sight("farm.new_news", STAFF, "/ferme/reglages/nouvelles/ajout", nothing_typed),
    Sight("farm.news", STAFF, "/ferme/reglages/nouvelles/1"),
    Sight("farm.components", STAFF, "/ferme/composants"),
    Sight(None, CAMILLE, "/nulle-part"),
    Sight(None, CAMILLE, "/ferme"),
)
NO_PAGES_OF_OURS = {
    "farm.e_invoice",
    "farm.invoice_file",
    "public.come_back",
    "static",
    "public.health",
    "public.robots",
    "public.calendar",
    "public.points_map",
    "public.picture",
    "public.guest_invoice_file",
    "public.guest_order_file",
    "member.contract",
    "member.e_invoice",
    "member.invoice_file",
    "member.invoices_of_year",
    "member.mandate_paper",
    "member.order_file",
    "member.take_data",
    "farm.mail_preview",
    "farm.preview_reminder",
    "farm.preview_campaign",
    "farm.message_file",
    "farm.paper_file",
    "farm.ticks_done",
    "farm.delivery_news_file",
    "farm.supplier_text",
    "farm.table_model",
}
