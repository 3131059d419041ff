"""What holds on every page: axe finds nothing, nothing sticks out of a narrow screen, a thumb hits all; it is light."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.accounts import answers, companies, consents, household, mailboxes, proofs, signing_up
from portal.accounts.alerts import Alert, tell
from portal.accounts.models import Account, CompanyState, MailWish
from portal.billing import credits, debits, mandates, receipts, returns
from portal.billing import reminders as dunning
from portal.billing.models import DebitState
from portal.billing.payments import Payment, Refusal
from portal.boxes.models import HandoverKind
from portal.catalogue.models import Supplier
from portal.deliveries.models import Delivery
from portal.infra import mail
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.messages import reminders
from portal.messages.audience import Audience
from portal.planning import handovers, renouncing, terminations, waiting
from portal.planning.models import Waiting
from portal.privacy import inactivity, leaving, merging, sharing
from portal.profile.models import Conditions, FarmProfile
from portal.rules.consents import ConsentSource, Notice, Topic
from portal.rules.money import Money
from portal.rules.orders import OrderState, may_become
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import MandateEnd, ReturnCode
from portal.settings import ROOT
from portal.shop import amending, checkout, rerouting, withdrawals
from portal.shop.checkout import Contact
from portal.shop.drafts import Entry, OfAccount
from portal.shop.models import Wish
from portal.shop.orders import bring
from portal.shop.vouchers import Person
from portal.subscriptions.models import Contract
from tests.billing import books, debiting
from tests.billing.signing import OTHER_IBAN, signed
from tests.browser.helpers import DESK, PHONE, compose, work
from tests.browser.sights import NO_PAGES_OF_OURS, SIGHTS, Sight
from tests.browser.weighing import Scales
from tests.client import Browser
from tests.composing import delivery_on, product
from tests.farm.forms import CLOSING, FORMULA_PRICE, PERSON
from tests.infra.workers import ROUNDS
from tests.joining import join
from tests.messages import campaigning
from tests.privacy.filling import somebody
from tests.shop.making import article, order
from tests.world import CAMILLE, NOW, PASSPHRASE, STAFF, TODAY, TUESDAY, YACINE

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = ["color-contrast", "link-in-text-block"]
NARROW = ({"width": 320, "height": 640}, {"width": 195, "height": 422})
"""WCAG's reflow, and a phone zoomed to 200 %."""
THUMB = 44
MAILS = ROOT / "templates" / "mail"

TARGETS = "a[href], button, input:not([type=hidden]), select, textarea, summary"
TOO_SMALL = """([targets, thumb]) => [...document.querySelectorAll(targets)]
  .filter((target) => target.checkVisibility())
  .filter((target) => !(target.matches("a") && getComputedStyle(target).display === "inline"))  // within a sentence
  .filter((target) => {
    const boxes = [target, ...(target.labels ?? [])].map((element) => element.getBoundingClientRect());
    const width = Math.max(...boxes.map((box) => box.right)) - Math.min(...boxes.map((box) => box.left));
    const height = Math.max(...boxes.map((box) => box.bottom)) - Math.min(...boxes.map((box) => box.top));
    return Math.min(width, height) < thumb;
  })
  .map((target) => target.outerHTML.slice(0, 120))"""


def test_every_page_is_in_the_list_of_sights(app: Flask) -> None:
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in rule.methods}
    assert pages == {sight.endpoint for sight in SIGHTS if sight.endpoint} | NO_PAGES_OF_OURS


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("sight", SIGHTS, ids=str)
def test_everybody_can_use_it(
    sight: Sight, look: Callable[..., Page], scales: Scales, clock: Traveller
) -> None:
    """Whatever they see and hold: axe by day and by night, a thumb, a narrow screen, a slow line."""
    clock.move_to(sight.at)  # before they sign in: staff do not stay signed in for days
    page = look(sight.who, DESK if sight.who == STAFF else PHONE)
    with scales.visit() as visit:
        page.goto(sight.path)
    if sight.reach:
        sight.reach(page, clock)
    # axe takes what the bar covers for too small
    whole = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({**page.viewport_size, "height": whole})
    found = {"heavy": visit.faults()}
    found["by day"] = faults(page, {"type": "tag", "values": [*WCAG, "best-practice"]})
    # a state shows no colour that the gallery of components does not, nor do the farm's pages
    if not sight.reach and (ROUNDS > 1 or not sight.path.startswith("/ferme/") or "composants" in sight.path):
        page.emulate_media(color_scheme="dark")
        found["by night"] = faults(page, {"type": "rule", "values": COLOURS})
    page.set_viewport_size(PHONE)
    found["too small for a thumb"] = page.evaluate(TOO_SMALL, [TARGETS, THUMB])
    for screen in NARROW:
        page.set_viewport_size(screen)
        width = page.evaluate("document.documentElement.scrollWidth")
        found[f"wider than {screen['width']}"] = [width] if width > screen["width"] else []
    assert {what: where for what, where in found.items() if where} == {}


def test_axe_finds_nothing_in_any_mail(
    app: Flask, look: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preview lets no script run, axe's neither: the same HTML is looked at on a page of its own."""
    sent, render = set[str](), mail.render

    def note(template: str, **context: Any) -> mail.Rendered:
        sent.add(template)
        return render(template, **context)

    monkeypatch.setattr(mail, "render", note)
    have_every_mail_sent(app)
    assert sent == {folder.name for folder in MAILS.iterdir() if folder.is_dir()}
    page = look(STAFF, PHONE)
    page.goto("about:blank")
    with own_transaction() as session:
        mails = session.scalars(select(Mail.id)).all()
    assert len(mails) >= len(sent)
    for number in mails:
        page.set_content(page.request.get(f"/ferme/courrier/{number}/apercu").text())
        assert faults(page, {"type": "tag", "values": WCAG}) == []


def have_every_mail_sent(app: Flask) -> None:
    client = app.test_client()
    client.sign_in(CAMILLE)
    client.get("/planning")
    for act in ("saut", "reprise"):
        client.submit(f"/planning/2026-06-15/{act}", {"abonnement": [1, 2]})
    client.submit("/planning/2026-06-15/report", {"abonnement": 1, "vers": "2026-06-22"})
    client.submit("/planning/suspension", {"du": "2026-07-06", "au": "2026-07-12", "abonnement": 1})
    client.submit("/planning/suspension/fin", {"suspension": 1})
    staff = app.test_client()
    staff.sign_in(STAFF)
    staff.get("/ferme/livraisons/2026-06-30/mardi/annulation")
    staff.submit("/ferme/livraisons/2026-06-30/mardi/annulation", {"reason": "Il neige."})
    terms = {"formule": 1, "quantite": 1, "rythme": "weekly", "point": 1}
    client.submit("/abonnements/1/modifier", {**terms, "des-1": "2026-06-15"})
    client.submit("/abonnements/1/annulation", {"lundi": "2026-06-15"})
    have_somebody_join(client)
    have_the_farm_asked(client, staff)
    client.submit("/mon-compte/fusion", {"email": YACINE})
    client.submit("/mot-de-passe-oublie", {"email": CAMILLE})
    passwords = {"password": PASSPHRASE, "new_password": "sept mots de plus pour ouvrir la porte"}
    client.submit("/mon-compte/mot-de-passe", passwords)
    have_the_account_protected()
    have_every_mail_of_orders_sent()
    have_an_order_placed()
    have_a_wish_come_true()
    have_a_neighbour_s_goods_ordered()
    have_the_desk_write(staff)
    have_the_farm_write_to_many()
    have_somebody_leave()
    have_details_changed()
    have_somebody_reminded()
    have_somebody_share()
    have_accounts_closed()
    have_people_ask_to_be_let_in()
    have_somebody_billed()
    have_a_mandate_end()
    have_a_debtor_reminded()
    have_debits_go_astray()
    work(app)


def have_somebody_join(client: Browser) -> None:
    """And an invitation from a full point's list, which then runs out."""
    with own_transaction() as session:
        session.add(Conditions(text="La ferme.", published_at=NOW))
    assert join(client).status_code == 303
    client.submit("/liste-d-attente/gare", {"formule": 1, "quantite": 1})
    with own_transaction() as session:
        [row] = session.scalars(select(Waiting))
        waiting.invite(session, row.account_id, row.pickup_point_id, by=row.account_id)
        row.kept_until = row.invited_at


def have_the_farm_write_to_many() -> None:
    with own_transaction() as session:
        camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
        camille.birthday = 610
        session.get_one(FarmProfile, 1).birthday_gift = Money(500)
        asked = {"source": ConsentSource.ACCOUNT, "wording": "Je veux la lettre.", "at": NOW}
        consents.give(session, camille, Topic.LETTER, **asked)
        campaigning.send(session, campaigning.draft(session, Audience(Topic.LETTER)))


def have_somebody_reminded() -> None:
    with own_transaction() as session:
        camille = session.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
        for notice in Notice:
            reminders.write(session, notice, delivery_on(session, TUESDAY), [camille], NOW)


def have_somebody_leave() -> None:
    """And a box go to somebody else."""
    with own_transaction() as session:
        camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
        tuesday = session.get_one(Delivery, delivery_on(session, date(2026, 7, 21)).id)
        tuesday.cutoff_at = NOW
        louise = handovers.Wish(HandoverKind.PERSON, "Louise Roux", "louise@example.org")
        spot = handovers.Spot(tuesday.day, "mardi", 1)
        assert handovers.hand_over(session, camille, spot, louise, by=camille) is handovers.Answer.DONE
        notice = terminations.Notice("Yacine Benali", YACINE, "C10002", None)
        terminations.search_owner(session, terminations.notify(session, notice, at=NOW), NOW)
        contract = Contract(subscription_id=3, made_at=NOW, paper=b"%PDF-")
        session.add(contract)
        session.flush()
        email = contract.subscription.account.email
        renouncing.send_link("A10003", session=session, email=email)
        assert renouncing.renounce(session, contract.id, name="Yacine Benali", email=email, by=None)


def have_a_mandate_end() -> None:
    """For each reason that its person is told of; and another take its place."""
    with own_transaction() as session:
        camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
        for why in (MandateEnd.REVOKED, MandateEnd.UNUSED, MandateEnd.REFUSED):
            signed(session)
            signed(session, iban=OTHER_IBAN)
            mandates.end(session, camille, why, at=NOW, by=None, means=PaymentMeans.CHEQUE)


def have_details_changed() -> None:
    """An address asked for that is taken, another confirmed and taken back, and a company approved."""
    with own_transaction() as session:
        camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
        mailboxes.ask_for_address(session, camille, STAFF, at=NOW)
        mailboxes.ask_for_address(session, camille, "camille@example.net", at=NOW)
        assert mailboxes.confirm_address(session, newest_token(session), at=NOW) is None
        assert mailboxes.take_address_back(session, newest_token(session), at=NOW) not in set(
            mailboxes.Refusal
        )
        lutins = companies.Identity("Crèche Les Lutins", None, "303265045")
        companies.ask(session, camille.id, lutins, at=NOW, by=camille.id)
        approved = CompanyState.APPROVED
        assert companies.decide(session, camille, approved, asked_at=NOW.isoformat(), at=NOW, by=1)


def have_the_farm_asked(client: Browser, staff: Browser) -> None:
    asked = {"sujet": "box", "nom": "Camille", "email": CAMILLE, "telephone": "", "message": "Où est-il ?"}
    client.submit("/contact", asked)
    staff.submit("/ferme/contact/1/reponse", {"reponse": "Le voici.", "ensuite": "clore"})


def have_somebody_share() -> None:
    """What Camille receives, for a while."""
    with own_transaction() as session:
        people = select(Account).where(Account.email == CAMILLE)
        camille, sacha = session.scalars(people).one(), somebody(session, "Sacha")
        assert household.invite(session, camille, sacha.email, "Sacha", at=NOW)
        assert sharing.share(session, sacha, newest_token(session), at=NOW) is None
        household.part(session, sacha, at=NOW, by=camille)


def have_people_ask_to_be_let_in() -> None:
    """By code, with and without an open account; by who has forgotten their address."""
    with own_transaction() as session:
        ida = signing_up.Person("ida@example.org", "Ida", "Roux", None, {})
        assert isinstance(signing_up.sign_up(session, ida, at=NOW), Account)
        for email in (CAMILLE, "aline@example.org"):
            answers.ask(session, MailWish.CODE, email, "a browser", at=NOW)
        answers.ask(session, MailWish.IDENTIFIER, "C10001", at=NOW)


def have_somebody_billed() -> None:
    """And something taken off."""
    with own_transaction() as session:
        made = books.invoiced(session)
        assert credits.gesture(session, made.id, Money(190), "Salade abîmée", by=1)


def have_debits_go_astray() -> None:
    """One comes back, which was a slip; another has missed its day; what waited is announced, some is paid in cash."""
    with own_transaction() as session:
        signed(session, STAFF)
        debiting.bank(session)
        back, moved = (debiting.announced(session, cents, STAFF) for cents in (1950, 2400))
        back.state, back.collected_on, moved.told_at = DebitState.PRESENTED, TODAY, None
        session.flush()
        came_back = returns.enter(session, back.id, ReturnCode.MD06, TODAY, by=1)
        assert isinstance(came_back, returns.Outcome), came_back
        assert returns.undo(session, back.id, by=1) is None
        waits = debiting.billed(session, 900, STAFF)
        assert debits.announce_open(session, waits.customer.account, at=NOW, by=1)
        cash = Payment(waits.customer_id, PaymentMeans.CASH, Money(200), TODAY)
        assert not isinstance(receipts.receive(session, [cash], at=NOW, by=1), Refusal)


def have_a_debtor_reminded() -> None:
    with own_transaction() as session:
        assert dunning.send(session, {1: 1}, at=NOW + timedelta(days=60), by=None)


def have_accounts_closed() -> None:
    """Two become one, which is long unseen, then goes."""
    with own_transaction() as session:
        one, other = somebody(session, "Aline"), somebody(session, "Berthe")
        merging.merge(session, one.id, other.id, at=NOW)
        inactivity.warn(session, one, inactivity.FIRST, at=NOW)
        assert isinstance(leaving.close(session, one, for_good=True, at=NOW), leaving.Closed)


def newest_token(session: Session) -> str:
    linked = select(Mail.text).where(Mail.text.contains("/lien/")).order_by(Mail.id.desc())
    text = session.scalars(linked).first() or ""
    return text.partition("/lien/")[2].split()[0]


def have_the_account_protected() -> None:
    with own_transaction() as session:
        camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
        assert proofs.mail_code(session, camille, "a browser", at=NOW)
        tell(session, camille, Alert.CODE_USED, at=NOW, left=9)


def have_the_desk_write(staff: Browser) -> None:
    with own_transaction() as session:
        compose(session)
        eggs = product(session, "oeufs")
        order(session, {article(session, "Sirop"): 1}, email=None, day=date(2026, 6, 23))
    short = {"formule": 3, "point": [1, 2], "remplacement": 0, "pourquoi": "Les poules couvent."}
    staff.submit(f"/ferme/paniers/2026-06-16/mardi/manque/{eggs}", short)
    staff.submit("/ferme/points-de-retrait/1/fermetures", CLOSING | {"first_day": "2026-06-23"})
    staff.submit("/ferme/formules/2/prix", FORMULA_PRICE)
    away = {"formula_id": 2, "quantity": 0, "point_id": 1, "farm_fault": 0, "reason": "Absente.", "tell": "y"}
    corrected = {"semaine": "2026-06-08", "vu": "2-1-1-1950-550-1", **away}
    staff.submit("/ferme/livraisons/2026-06-09/mardi/corrections/1", corrected)
    subscription = "/ferme/abonnes/2/abonnements/3"
    staff.submit(f"{subscription}/fin", {"jour": "2026-12-01", "dernier": "2026-12-01"})
    staff.submit(f"{subscription}/suite")
    staff.submit("/ferme/abonnes/2/coordonnees", PERSON | {"email": "yacine@example.net"})
    staff.submit("/ferme/abonnes/ajout", PERSON | {"invited": "y"})


def have_every_mail_of_orders_sent() -> None:
    with own_transaction() as session:
        honey = article(session)
        for to in OrderState:
            if before := next((state for state in OrderState if may_become(state, to)), None):
                taken = order(session, {honey: 1}, state=before, email=STAFF)
                bring(session, taken, to, at=NOW, by=None, reason="La ferme vous l'explique.")
        placed = order(session, {honey: 1})
        [line] = placed.lines
        amending.amend(session, placed.id, placed.account_id, {line.id: 2}, Money(1300))
        withdrawals.declare(
            session, placed.id, placed.account_id, [line.id], name="Camille Aubert", email=CAMILLE
        )
        withdrawals.send_link(placed.number, session=session, email=CAMILLE)
        rerouting.reroute(session, order(session, {honey: 1}, told_day=TODAY))


def have_an_order_placed() -> None:
    with own_transaction() as session:
        camille = session.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
        keeper, person = OfAccount(session, camille), Person(camille, CAMILLE)
        jam = article(session, "Confiture")
        draft = keeper.hold(NOW).having(jam.id, Entry(3, Money(650)))
        keeper.save(draft, NOW)
        shown = checkout.summary(session, draft, person, NOW).digest
        contact = Contact("Camille Aubert", CAMILLE, "06 39 98 00 01", "3 rue du Four", "05700", "Serres")
        checkout.place(session, keeper, person, contact, key=draft.key, shown=shown)


def have_a_neighbour_s_goods_ordered() -> None:
    with own_transaction() as session:
        bread = article(session, "Pain", supplier=Supplier(name="Le Fournil", email="fournil@example.org"))
        order(session, {bread: 2}, point="mairie", email=YACINE, day=date(2026, 6, 11))


def have_a_wish_come_true() -> None:
    with own_transaction() as session:
        nuts = article(session, "Noix")
        camille = session.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
        session.add(Wish(account_id=camille, article_id=nuts.id, made_at=NOW, missed_at=NOW))


def faults(page: Page, rules: dict[str, object]) -> list[str]:
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(options).then(results => results.violations)", options)
    return [f"{fault['id']}: {node['html'][:120]}" for fault in found for node in fault["nodes"]]
