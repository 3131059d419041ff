"""A table is tried without writing, then written, as often as one likes: the second time changes nothing."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, func, select

from portal.accounts.models import Account, Address, MailedLink
from portal.catalogue.models import Article, Formula, FormulaPrice, Product
from portal.exchange import imports, jobs
from portal.exchange.models import RunState, Subject, TableImport
from portal.infra import audit
from portal.infra.audit import AuditEvent
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.rules.calendar import Rhythm
from portal.subscriptions.models import Subscription, Term
from tests.stall import stock_the_shop
from tests.world import ADMIN, CAMILLE, CUTOFF, NOW, STAFF, TODAY

PEOPLE = (
    "Mail;Prénom;Nom;Tél;Rue;CP;Ville\n"
    "lea@exemple.fr;Léa;Blanc;612345678;3 rue du Four;5300;Laragne\n"
    f"{CAMILLE.upper()};Camille;Nouveau;;;;\n"
)


@pytest.fixture
def send(app, session):
    """Take a table in and let the worker try it; answers how to let it be written."""

    def take(text, subject=Subject.PEOPLE, invites=False):
        by = session.scalars(select(Account.id).where(Account.email == STAFF)).one()
        data = text if isinstance(text, bytes) else text.encode("cp1252")
        row = imports.take_in(session, subject, data, "../../liste.csv", invites=invites, at=NOW, by=by)
        session.commit()
        work()
        return again(row.id)

    def work():
        while jobs.work_on_imports():
            pass

    def again(import_id):
        session.rollback()
        session.expire_all()
        return session.get_one(TableImport, import_id)

    def write(row):
        assert imports.begin(session, row.id, at=NOW, by=row.made_by)
        session.commit()
        work()
        return again(row.id)

    take.write, take.work, take.again = write, work, again
    return take


def counts(row):
    return {name: number for name, number in row.report["counts"].items() if number}


def number_of(session, table):
    number = session.scalar(select(func.count()).select_from(table))
    session.rollback()
    return number


def test_people_are_tried_then_written_then_found_as_they_are(send, session):
    before = number_of(session, Account)
    tried = send(PEOPLE, invites=True)
    assert (tried.state, tried.lines, tried.file_name) == (RunState.READ, 2, "liste.csv")
    assert counts(tried) == {"created": 1, "changed": 1}
    assert number_of(session, Account) == before and number_of(session, Mail) == 0

    written = send.write(tried)
    assert (written.state, written.data) == (RunState.DONE, None)
    lea = session.scalars(select(Account).where(Account.email == "lea@exemple.fr")).one()
    assert (lea.full_name, lea.phone, lea.password) == ("Léa Blanc", "06 12 34 56 78", None)
    assert session.scalars(select(Address)).one().postcode == "05300"
    camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
    assert camille.last_name == "Nouveau"
    assert [mail.recipient for mail in session.scalars(select(Mail))] == ["lea@exemple.fr"]
    assert number_of(session, MailedLink) == 1
    [end] = session.scalars(select(AuditEvent).where(AuditEvent.action == "import.end"))
    assert end.after["created"] == 1 and "exemple.fr" not in str(end.after)

    assert counts(send(PEOPLE, invites=True)) == {"unchanged": 2}
    assert counts(send(f"Client;Prénom\n{camille.customer_number};Cam\n")) == {"changed": 1}


def test_errors_are_said_by_line_and_column_and_the_other_lines_are_written(send, session):
    text = (
        "Adresse mail;Prénom;Nom;Téléphone;Code postal\n"
        "pas-une-adresse;A;B;;\n"
        "ok@exemple.fr;Anne;Petit;;\n"
        "vide@exemple.fr;;Petit;;\n"
        "ok@exemple.fr;Encore;Elle;;\n"
        "long@exemple.fr;" + "x" * 3000 + ";Petit;;\n"
        "tel@exemple.fr;Anne;Petit;12;\n"
        "cp@exemple.fr;Anne;Petit;;05300\n"
        "=1+1@exemple.fr\"';" + "y" * 81 + ";Petit;;\n"
    )
    tried = send(text)
    said = [(error["line"], error["column"], error["says"]) for error in tried.report["errors"]]
    assert said[:4] == [
        (2, "Adresse mail", "une adresse entière, comme nom@exemple.fr."),
        (4, "Prénom", "à remplir."),
        (5, "", "la ligne 3 parle déjà de la même chose."),
        (6, "Prénom", "80 caractères au plus, il y en a 3\u202f000."),
    ]
    assert [line for line, *_ in said] == [2, 4, 5, 6, 7, 8, 9, 9]
    assert len(tried.report["errors"][3]["value"]) == 120
    before = number_of(session, Account)
    assert counts(send.write(tried)) == {"created": 1, "errors": 7}
    assert number_of(session, Account) == before + 1


def test_a_line_that_the_database_refuses_takes_none_along(send, session, monkeypatch):
    monkeypatch.setattr("portal.exchange.people.find_account", lambda *_: None)  # as if they came meanwhile
    written = send.write(send(PEOPLE))
    assert written.state is RunState.DONE and counts(written) == {"created": 1, "errors": 1}
    monkeypatch.setattr("portal.catalogue.products.free_slug", lambda *_: "carottes")
    tried = send("Nom;Unité;Prix\nCarottes;kg;3\nFenouil;kg;3\n", Subject.PRODUCTS)
    assert counts(tried) == {"changed": 1, "errors": 1}


def test_the_trail_names_who_said_yes(send, session):
    tried = send(PEOPLE)
    admin = session.scalars(select(Account.id).where(Account.email == ADMIN)).one()
    assert imports.begin(session, tried.id, at=NOW, by=admin)
    session.commit()
    send.work()
    acts = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert acts[0].account_id == tried.made_by != admin
    assert {event.action for event in acts[1:]} >= {"import.begin", "import.end", "account.change"}
    assert {event.account_id for event in acts[1:]} == {admin}


def test_a_column_that_is_not_recognised_is_pointed_out(send, session):
    text = "Où écrire;Prénom;Nom\nlea@exemple.fr;Léa;Blanc\n"
    tried = send(text)
    assert (tried.state, tried.report["missing"]) == (RunState.READ, ["email"])
    assert not imports.begin(session, tried.id, at=NOW, by=tried.made_by)
    assert imports.assign(session, tried.id, {"email": 0})
    session.commit()
    send.work()
    assert counts(send.again(tried.id)) == {"created": 1}


def test_subscriptions_begin_when_nothing_is_closed_and_are_changed_by_nobody(send, session):
    text = (
        "Mail;Formule;Quantité;Rythme;Point de retrait;Début\n"
        f"{STAFF};petit panier;2;une semaine sur deux;Halle de Serres;24/06/2026\n"
        f"{STAFF};Œufs;;;halle;\n"
        f"{CAMILLE};Grand panier;3;;halle;\n"
        "personne@exemple.fr;Œufs;;;halle;\n"
        f"{STAFF};Grand panier;;une semaine sur deux;halle;\n"
        f"{STAFF};Confiture;;;halle;\n"
    )
    before = number_of(session, Subscription)
    tried = send(text, Subject.SUBSCRIPTIONS)
    assert counts(tried) == {"created": 2, "unchanged": 1, "errors": 3, "notes": 1}
    assert [error["column"] for error in tried.report["errors"]] == ["Adresse mail", "Rythme", "Formule"]
    send.write(tried)
    assert number_of(session, Subscription) == before + 2
    one, eggs = session.scalars(select(Term).order_by(Term.id.desc()).limit(2)).all()[::-1]
    # nothing on Tuesday 23 before Wednesday 24: the week after, which is of the other fortnight
    assert (one.monday, one.quantity) == (date(2026, 6, 29), 2)
    assert one.rhythm in {Rhythm.FORTNIGHT_A, Rhythm.FORTNIGHT_B}
    assert (eggs.monday, eggs.quantity, eggs.rhythm) == (date(2026, 6, 15), 1, Rhythm.WEEKLY)
    assert counts(send(text, Subject.SUBSCRIPTIONS)) == {"unchanged": 3, "errors": 3, "notes": 1}


def test_what_is_not_on_offer_is_begun_for_nobody(send, session):
    """A box without a price would keep the whole delivery from being frozen."""
    session.scalars(select(Formula).where(Formula.slug == "grand")).one().retired_at = NOW
    session.execute(
        delete(FormulaPrice).where(
            FormulaPrice.formula_id == select(Formula.id).where(Formula.slug == "oeufs").scalar_subquery()
        )
    )
    session.commit()
    lines = f"{STAFF};Grand panier;halle\n{STAFF};Œufs;halle\n{CAMILLE};Grand panier;halle\n"
    tried = send("Mail;Formule;Point\n" + lines, Subject.SUBSCRIPTIONS)
    assert counts(tried) == {"unchanged": 1, "errors": 2}
    assert [error["column"] for error in tried.report["errors"]] == ["Formule", "Formule"]


def test_what_has_ended_does_not_begin_again(send, session):
    text = (
        "Mail;Formule;Point;Dernier jour\n"
        f"{STAFF};Petit panier;halle;09/06/2026\n"
        f"{STAFF};Grand panier;halle;30/06/2026\n"
        f"{ADMIN};Grand panier;halle;11/06/2026\n"
    )
    written = send.write(send(text, Subject.SUBSCRIPTIONS))
    assert counts(written) == {"created": 1, "unchanged": 1, "errors": 1, "notes": 1}
    assert [error["column"] for error in written.report["errors"]] == ["Dernier jour"]
    last = session.scalars(select(Subscription).order_by(Subscription.id.desc())).first()
    assert last.last_day == date(2026, 6, 30)


def test_a_full_point_is_said_and_what_has_just_closed_is_left_out(send, session, clock):
    session.scalars(select(PickupPoint).where(PickupPoint.slug == "halle")).one().capacity = 2
    session.commit()
    text = f"Mail;Formule;Point\n{STAFF};Petit panier;halle\n{ADMIN};Petit panier;halle\n"
    tried = send(text, Subject.SUBSCRIPTIONS)
    assert counts(tried) == {"created": 2, "notes": 1}
    assert [note["line"] for note in tried.report["notes"]] == [3]

    clock.move_to(CUTOFF)  # while the deliveries were waited for
    assert imports.begin(session, tried.id, at=NOW, by=tried.made_by)
    imports.step(session, tried.id, CUTOFF - timedelta(seconds=1))
    assert {term.monday for term in session.scalars(select(Term).order_by(Term.id.desc()).limit(2))} == {
        date(2026, 6, 22)
    }


def test_points_and_products_are_known_by_their_names(send, session):
    points = (
        "Nom;Tournée;Adresse;CP;Ville;Lat;Lon;Ouverture;Fermeture;Accès;Places\n"
        "halle de sèrres;mardi;;;;;;;;;60\n"
        "École;mardi;2 rue;05300;Laragne;44,31;5,82;16h30;18 h;Au portail.;20\n"
        "Gare;mardi;2 rue;05300;Laragne;44,31;5,82;19h;18 h;Au portail.;20\n"
        "Ici;lundi;2 rue;05300;Laragne;44,31;5,82;17h;18 h;Au portail.;20\n"
    )
    tried = send(points, Subject.POINTS)
    assert counts(tried) == {"created": 1, "changed": 1, "errors": 2}
    assert [error["column"] for error in tried.report["errors"]] == ["Ferme à", "Tournée"]
    send.write(tried)
    assert counts(send(points, Subject.POINTS)) == {"unchanged": 2, "errors": 2}
    halle = session.scalars(select(PickupPoint).where(PickupPoint.slug == "halle")).one()
    assert (halle.name, halle.capacity) == ("Halle de Serres", 60)

    session.scalars(select(Product).where(Product.slug == "carottes")).one().name = "Carottes fanes"
    session.commit()
    long = "Tomates anciennes de toutes les couleurs et de toutes les formes"
    products = f"Nom;Unité;Prix\nCarottes fanes;kg;2,50\n{long};kg;4\n"
    assert counts(send.write(send(products, Subject.PRODUCTS))) == {"created": 1, "unchanged": 1}
    assert counts(send(products, Subject.PRODUCTS)) == {"unchanged": 2}
    products = (
        "Légume;Unité;Prix;Parcelle\nCAROTTES FANES;kg;2,80;Serre 2\nBlettes;botte;1,90;\nRadis;kg;1;\n"
    )
    tried = send(products, Subject.PRODUCTS)
    assert counts(tried) == {"created": 1, "changed": 1, "errors": 1}
    send.write(tried)
    assert counts(send(products, Subject.PRODUCTS)) == {"unchanged": 2, "errors": 1}
    assert session.scalars(select(Product).where(Product.slug == "blettes")).one().value.cents == 190


def test_articles_of_the_shop_begin_change_and_get_todays_price(send, session):
    honey = stock_the_shop(session)
    sold, shelf = honey.stock, honey.category.name
    session.commit()
    articles = (
        "Nom;Rayon;Se vend;Contenance;Origine;Prix TTC;TVA;Fournisseur;Stock au départ\n"
        f"{honey.name.upper()};;;;;10,20;;;99\n"
        f"Jus de pomme;{shelf};bouteille;1 l;France;3,40;5,5 %;le rucher;30\n"
        f"Cidre;{shelf};bouteille;75 cl;France;4,90;0,2;;\n"
        f"Confiture;{shelf};pot;;France;4,90;20 %;;\n"
        f"Noix;Cave;pot;un peu;France;0;21 %;;\n"
        f"{honey.name} au poids;{shelf};poids;;France;0;5,5 %;;\n"
    )
    tried = send(articles, Subject.ARTICLES)
    assert counts(tried) == {"created": 2, "changed": 1, "errors": 3}
    wrong = [(error["line"], error["column"]) for error in tried.report["errors"]]
    assert wrong == [(5, "Contenance"), (6, "Rayon"), (6, "Contenance"), (6, "TVA"), (7, "Prix TTC")]
    send.write(tried)
    assert counts(send(articles, Subject.ARTICLES)) == {"unchanged": 3, "errors": 3}
    session.refresh(honey)
    [today] = [price for price in honey.prices if price.since == TODAY]
    assert (today.price.cents, honey.stock, honey.content) == (1020, sold, 250)
    made = session.scalars(select(Article).order_by(Article.id.desc()).limit(2)).all()[::-1]
    assert [(a.content, a.measured, a.stock, a.prices[0].vat_basis_points) for a in made] == [
        (1000, "ml", 30, 550),
        (750, "ml", None, 2000),
    ]
    refused = send(f"Nom;Se vend\n{honey.name};poids\n", Subject.ARTICLES)
    assert [error["column"] for error in refused.report["errors"]] == ["Se vend"]


def test_a_worker_that_is_killed_leaves_whole_steps_and_the_next_one_goes_on(send, session, monkeypatch):
    lines = "".join(f"p{n}@exemple.fr;Prénom;Nom {n}\n" for n in range(125))
    tried = send("Mail;Prénom;Nom\n" + lines)
    assert counts(tried) == {"created": 125}
    imports.begin(session, tried.id, at=NOW, by=tried.made_by)
    session.commit()
    before = number_of(session, Account)
    jobs.work_on_imports()
    assert (send.again(tried.id).done, number_of(session, Account)) == (50, before + 50)

    def die(*_args, **_kwargs):
        raise KeyboardInterrupt

    session.rollback()
    with monkeypatch.context() as patched:
        patched.setattr(imports, "_finish", die)
        jobs.work_on_imports()
        with pytest.raises(KeyboardInterrupt):
            jobs.work_on_imports()
    assert (send.again(tried.id).done, number_of(session, Account)) == (100, before + 100)
    session.rollback()
    send.work()
    assert (send.again(tried.id).state, number_of(session, Account)) == (RunState.DONE, before + 125)


def test_whoever_writes_waits_for_no_file(send, monkeypatch):
    read = imports.read

    def read_while_another_writes(data):
        with own_transaction() as other:
            audit.record(other, "meanwhile", ("table_import", 1), at=NOW, by=None)
        return read(data)

    monkeypatch.setattr(imports, "read", read_while_another_writes)
    assert send(PEOPLE).state is RunState.READ


def test_what_cannot_be_read_or_has_waited_too_long_is_forgotten(send, session, monkeypatch):
    assert send(b"\0\1\2").report == {"problem": "not_a_table"}
    with monkeypatch.context() as patched:
        patched.setattr(imports, "_write", lambda *_: 1 / 0)
        broken = send(PEOPLE)
    assert (broken.state, broken.data, broken.report["problem"]) == (RunState.FAILED, None, "broken")
    assert broken.report["counts"]["errors"] == 0 and broken.report["heads"]
    waits = send(PEOPLE)
    imports.forget_old(session, NOW + imports.KEPT)
    assert session.get(TableImport, waits.id)
    imports.forget_old(session, NOW + imports.KEPT + timedelta(seconds=1))
    session.commit()
    assert number_of(session, TableImport) == 0
