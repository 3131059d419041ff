"""The papers of a delivery: what stands on them, and what has changed since they were printed."""

import re
import subprocess
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.jobs import freeze_due
from portal.boxes.models import Basket
from portal.catalogue.models import Formula, Product
from portal.infra import pdf
from portal.infra.audit import AuditEvent
from portal.packing.labels import Format
from portal.packing.models import ListPrint
from portal.pickup.models import PickupPoint
from portal.rules.permissions import RoleName
from portal.rules.selling import SaleUnit
from portal.subscriptions.models import Subscription
from tests import crowd
from tests.client import Browser
from tests.composing import delivery_on, put
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import CAMILLE, CUTOFF, STAFF, TUESDAY

PAGE = "/ferme/livraisons/2026-06-16/mardi"
PAPERS = ("recolte", "liste", "etiquettes", "tournee", "emargement")


@pytest.fixture
def staff(client: Browser) -> Browser:
    client.sign_in(STAFF)
    return client


@pytest.fixture
def closed(app, staff, session, clock) -> None:
    """Six people more at each point, and the delivery is frozen."""
    crowd.add(session, 12)
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 500)
    session.commit()
    clock.move_to(CUTOFF + timedelta(hours=8))
    with app.app_context():
        freeze_due()
    staff.sign_in(STAFF)


def print_out(staff: Browser, paper: str = "liste", **form: str):
    return staff.submit(f"{PAGE}/{paper}/impression", form)


def change(session: Session, quantity: int, email: str = CAMILLE, box: str = "grand") -> None:
    """As a correction leaves somebody's frozen box."""
    whose = select(Subscription.id).join(Subscription.account).where(Account.email == email)
    formula = select(Formula.id).where(Formula.slug == box).scalar_subquery()
    session.execute(
        update(Basket)
        .where(Basket.subscription_id.in_(whose), Basket.formula_id == formula)
        .values(quantity=quantity)
    )
    session.commit()


def words_of(response) -> str:
    """What stands on the sheets of a PDF file."""
    assert response.status_code == 200 and response.mimetype == "application/pdf"
    read = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=response.data, check=True, capture_output=True
    ).stdout.decode()
    return " ".join(read.split())


# Versions


def test_a_print_is_a_version_and_the_page_tells_what_has_changed_since(staff, session, closed):
    page = text_of(staff.get(f"{PAGE}/liste"))
    assert "Pas encore imprimée" in page and "État au lundi 15 juin, 8 h" in page
    first = print_out(staff)
    assert (first.status_code, first.location) == (303, f"{PAGE}/liste?imprimer=oui")
    page = text_of(staff.get(first.location))
    assert "Version 1, imprimée lundi 15 juin à 8 h" in page and "État au" not in page
    print_out(staff)
    assert session.scalars(select(ListPrint.number)).all() == [1], "nothing had changed"

    change(session, 2)
    page = text_of(staff.get(f"{PAGE}/liste"))
    assert "Version 1, imprimée lundi 15 juin à 8 h ; un changement depuis" in page
    assert "Aubert Camille modifié 2 G Grand panier" in page and page.count(" modifié") == 1
    assert "imprimée lundi 15 juin à 8 h ; un changement depuis" in words_of(staff.get(f"{PAGE}/liste.pdf"))

    filed = print_out(staff, pdf="oui")
    assert (filed.status_code, filed.location) == (303, f"{PAGE}/liste.pdf")
    sheets = words_of(staff.get(filed.location))
    assert "Version 2, imprimée lundi 15 juin à 8 h ; un changement depuis la version 1" in sheets
    assert "Aubert Camille modifié" in sheets, "who holds version 1 sees what to look at"

    change(session, 0)
    change(session, 0, box="oeufs")
    page = text_of(staff.get(f"{PAGE}/liste"))
    assert "retiré Aubert Camille" in page and "un changement depuis" in page
    change(session, 2)
    change(session, 1, box="oeufs")
    assert "depuis la version 1" in text_of(staff.get(f"{PAGE}/liste")), "as it was printed again"
    assert [
        event.after for event in session.scalars(select(AuditEvent).where(AuditEvent.action == "list.print"))
    ] == [
        {"paper": "packing", "version": 1},
        {"paper": "packing", "version": 2},
    ]
    assert "Aubert" not in str(session.scalars(select(ListPrint.lines)).all()), "nobody's name is kept"


def test_the_freeze_is_no_change_of_a_list_that_was_printed_after_the_cutoff(app, staff, session, clock):
    """The worker was off across the cutoff (BAR T11)."""
    crowd.add(session, 12)
    clock.move_to(CUTOFF)
    staff.sign_in(STAFF)
    for paper in PAPERS[1:]:
        print_out(staff, paper)
    with app.app_context():
        freeze_due()
    for paper in PAPERS[1:]:
        assert "changement" not in text_of(staff.get(f"{PAGE}/{paper}"))
        print_out(staff, paper)
    assert session.scalars(select(ListPrint.number)).all() == [1, 1, 1, 1]


def test_a_number_that_is_printed_stays_its_persons_on_all_papers(staff, session, closed):
    numbers = number_of(staff)
    assert numbers["Aubert"] == 2 and sorted(numbers.values()) == list(range(1, len(numbers) + 1))
    print_out(staff, "etiquettes")
    change(session, 0)
    change(session, 0, box="oeufs")
    left = number_of(staff)
    assert left == {name: number for name, number in numbers.items() if name != "Aubert"}
    late = order(session, {article(session): 1}, email=None, name="Zoé Aaron")
    session.commit()
    assert number_of(staff) == left | {"Aaron": len(numbers) + 1}
    assert re.search(rf"N° 1, 3, {len(numbers) + 1}\b", words_of(staff.get(f"{PAGE}/tournee.pdf")))
    assert f"{len(numbers) + 1} Halle de Serres Aaron Zoé" in text_of(staff.get(f"{PAGE}/etiquettes"))
    assert late.number in text_of(staff.get(f"{PAGE}/etiquettes"))


def number_of(staff: Browser) -> dict[str, int]:
    """Whose number is which, on the packing list."""
    rows = re.findall(
        r'list-number">(\d+)</td>\s*<th scope="row">(?:<a [^>]+>)?<b>([^<]+)</b> ([^<]*)',
        staff.get(f"{PAGE}/liste").text,
    )
    return {
        last if last in {"Aubert", "Aaron"} else f"{last} {first.strip()}": int(n) for n, last, first in rows
    }


def test_the_page_of_the_point_that_somebody_left_says_where_to_and_what(staff, session, closed):
    numbers = number_of(staff)
    for paper in ("liste", "emargement"):
        assert print_out(staff, paper).status_code == 303
    whose = select(Subscription.id).join(Subscription.account).where(Account.email == CAMILLE)
    station = select(PickupPoint.id).where(PickupPoint.slug == "gare").scalar_subquery()
    session.execute(update(Basket).where(Basket.subscription_id.in_(whose)).values(pickup_point_id=station))
    session.commit()
    here, summed = (
        "Aubert Camille → Gare de Veynes : 1 × Grand panier, 1 × Œufs",
        "(Halle de Serres → Gare de Veynes)",
    )
    for paper in ("liste", "emargement"):
        page, sheets = text_of(staff.get(f"{PAGE}/{paper}")), words_of(staff.get(f"{PAGE}/{paper}.pdf"))
        assert f"retiré {here}" in page and f"Retiré : {here}" in sheets
        assert (summed in page) is (summed in sheets) is (paper == "liste")
    assert number_of(staff) == numbers | {"Aubert": len(numbers) + 1}


def test_a_round_whose_numbers_are_printed_keeps_its_order(staff, session, closed):
    numbers = number_of(staff)
    assert print_out(staff, "etiquettes").status_code == 303
    session.execute(update(PickupPoint).values(position=9 - PickupPoint.position))
    session.commit()
    assert number_of(staff) == numbers
    for paper in ("liste", "tournee"):
        page = text_of(staff.get(f"{PAGE}/{paper}"))
        assert page.index("Halle de Serres") < page.index("Gare de Veynes")


def test_an_empty_list_is_not_printed(staff, session):
    staff.get(f"{PAGE}/liste")
    refused = print_out(staff, "recolte")
    assert refused.status_code == 422 and "Rien à récolter" in text_of(refused)
    assert session.scalars(select(ListPrint)).all() == []


# What stands on them


def test_the_harvest_joins_boxes_and_orders_and_adds_the_margin(staff, session):
    session.execute(
        update(Product)
        .where(Product.slug == "carottes")
        .values(parcel="Serre 2", tool="Fourche", crate="Caisse verte", kept_in="Chambre froide", margin=10)
    )
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 500)
    loose = article(session, "Carottes", sale_unit=SaleUnit.WEIGHT, step=250)
    order(session, {loose: 750, article(session, "Salade", product="salade", sale_unit=SaleUnit.PIECE): 2})
    session.commit()
    shown = text_of(staff.get(f"{PAGE}/recolte"))
    assert "1 × 500 g Grand panier + commandes : 750 g, marge de 10 % 1,4 kg" in shown
    for page in (shown, words_of(staff.get(f"{PAGE}/recolte.pdf"))):
        assert "1,4 kg" in page and "2 pièces" in page
        for said in ("Serre", "Fourche", "verte", "froide"):
            assert said in page
        assert "Pas encore composé, donc pas dans cette liste : Œufs." in page
        assert "Encore en brouillon : Grand panier." in page


def test_the_round_sheet_calls_at_each_stop_and_is_loaded_the_other_way_round(staff, session, closed):
    session.execute(
        update(PickupPoint)
        .where(PickupPoint.slug == "gare")
        .values(contact="Mme Reynaud", phone="06 39 98 11 22", driver_note="Clé chez le voisin.")
    )
    session.execute(update(Formula).values(per_crate=2))
    session.commit()
    page = staff.get(f"{PAGE}/tournee")
    assert 'href="tel:0639981122"' in page.text and "openstreetmap.org/?mlat=44.50000" in page.text
    for said in (text_of(page), words_of(staff.get(f"{PAGE}/tournee.pdf"))):
        assert said.index("Halle de Serres") < said.index("Gare de Veynes")
        loading = said.split("le dernier arrêt d'abord")[1]
        assert loading.index("Gare de Veynes") < loading.index("Halle de Serres")
        assert re.search(r"Gare de Veynes\s*:? \d caisses, \d+ paniers", loading)
        for word in (
            "2 place du Village, 05700 Serres",
            "Mme Reynaud",
            "06 39 98 11 22",
            "Clé chez le voisin.",
        ):
            assert word in said


def test_labels_begin_where_a_used_sheet_ends(staff, session, closed):
    order(session, {article(session): 1})
    session.commit()
    page = staff.get(f"{PAGE}/etiquettes?format=2x7&debut=4")
    assert page.text.count("label-used") == 3 and "labels-2x7" in page.text
    assert (
        "2 Halle de Serres 1/2 Aubert Camille G Grand panier + commande B10001 mar. 16 juin 2 Halle"
        in text_of(page)
    )
    assert "2 Halle de Serres 2/2 Aubert Camille Œ Œufs mar. 16 juin 3 Halle" in text_of(page)
    assert "Zélie Prénom 009 P Petit panier mar. 16 juin soin particulier" in text_of(page)
    again = print_out(staff, "etiquettes", format="2x7", debut="4", pdf="oui")
    assert again.location == f"{PAGE}/etiquettes.pdf?format=2x7&debut=4"
    assert "2/2" in words_of(staff.get(again.location))
    for strange in ("format=9x9&debut=4", "format=2x4&debut=9", "debut=-1", "debut=²", "debut=x"):
        assert staff.get(f"{PAGE}/etiquettes?{strange}").text.count("label-used") == (
            3 if "9x9" in strange else 0
        )
    assert all(words_of(staff.get(f"{PAGE}/etiquettes.pdf?format={wanted}")) for wanted in Format)


def test_names_may_be_cut_short_where_a_list_hangs_for_all_to_read(staff, closed):
    for paper in ("liste", "emargement"):
        for said in (
            text_of(staff.get(f"{PAGE}/{paper}?noms=courts")),
            words_of(staff.get(f"{PAGE}/{paper}.pdf?noms=courts")),
        ):
            assert "Camille A." in said and "Aubert" not in said


def test_what_changes_is_a_page_and_a_paper(staff, session, closed):
    for said in (text_of(staff.get(f"{PAGE}/nouveautes")), words_of(staff.get(f"{PAGE}/nouveautes.pdf"))):
        assert "Éluard Prénom 001 ● Deuxième livraison : 1 × Grand panier" in said and "Aubert" not in said
        assert "✕ Absent·e cette fois : " in said


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_words_of_people_are_never_source_on_any_paper(staff, session, closed):
    """BAR I2, for typst: a name that would stop the printing, or read a file, is a name."""
    evil = '#panic("!") #read("a") *b* $x^2$ @c \\ // [] {} <d>'
    session.execute(update(Account).values(last_name=evil, first_name="`#e`"))
    session.execute(update(PickupPoint).values(name=evil, contact=evil, driver_note=evil, address=evil))
    session.execute(update(Product).values(name=evil, parcel="#f", tool="#g", crate="$h", kept_in="]i"))
    session.execute(update(Formula).values(short_name=evil))
    session.commit()
    for paper in (*PAPERS, "nouveautes"):
        file = staff.get(f"{PAGE}/{paper}.pdf")
        assert file.mimetype == "application/pdf", paper
        letters = words_of(file).replace(" ", "")
        assert '#panic("!")' in letters and "$x^2$@c" in letters, paper
    assert "#f" in words_of(staff.get(f"{PAGE}/recolte.pdf"))


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_when_no_file_can_be_made_the_page_says_so_and_prints_the_same(staff, closed, monkeypatch):
    """BAR R16."""
    monkeypatch.setattr(pdf, "_compiler", lambda: 1 / 0)
    for paper in ("liste", "nouveautes"):
        answer = staff.get(f"{PAGE}/{paper}.pdf?noms=courts")
        assert answer.status_code == 303
        shown = text_of(staff.get(answer.location))
        assert "Le fichier PDF n'a pas pu être fait." in shown and "Halle de Serres" in shown
        assert paper == "nouveautes" or "Camille A." in shown
    assert "Le fichier PDF" not in text_of(staff.get(f"{PAGE}/liste"))


# Who may, and what it costs


def test_who_may_only_look_is_not_asked_to_print(staff, session, closed):
    for account in session.scalars(select(Account).where(Account.email == STAFF)):
        account.roles = [role for role in account.roles if role.name == RoleName.ACCOUNTS]
    session.commit()
    page = staff.get(f"{PAGE}/liste")
    assert f"{PAGE}/liste.pdf" in page.text and f"{PAGE}/liste/impression" not in page.text


def test_names_and_products_lead_on_for_who_may_go_there(staff, session, closed):
    camille = session.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
    person, shortage = f'href="/ferme/abonnes/{camille}"', "/ferme/paniers/2026-06-16/mardi/manque/"
    assert person in staff.get(f"{PAGE}/liste").text and shortage in staff.get(f"{PAGE}/recolte").text
    account = session.scalars(select(Account).where(Account.email == STAFF)).one()
    roles = {role.name: role for role in account.roles}
    for role, paper, closed_to_it in (
        (RoleName.LOGISTICS, "liste", person),
        (RoleName.ACCOUNTS, "recolte", shortage),
    ):
        account.roles = [roles[role]]
        session.commit()
        assert closed_to_it not in staff.get(f"{PAGE}/{paper}").text


def test_a_list_of_many_pages_is_a_small_file(staff, session, closed):
    crowd.add(session, 300, start=12)
    assert len(staff.get(f"{PAGE}/liste.pdf").data) < 300_000


@pytest.mark.parametrize(
    "paper", [*(f"{name}{end}" for name in PAPERS for end in ("", ".pdf")), "nouveautes"]
)
def test_it_takes_the_same_number_of_statements_for_three_and_for_three_hundred(
    staff, session, count_queries, paper
):
    def statements() -> int:
        with count_queries() as seen:
            assert staff.get(f"{PAGE}/{paper}").status_code == 200
        return len(seen)

    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 500)
    crowd.add(session, 3)
    print_out(staff, paper.removesuffix(".pdf")) if paper != "nouveautes" else None
    few = statements()
    crowd.add(session, 40, start=3)
    assert statements() == few <= 16
