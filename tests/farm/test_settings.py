"""/ferme/reglages: the farm's card and its news; /ferme/sommaire, the way there."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.profile.models import FarmProfile, News
from tests.farm.forms import NEWS, PROFILE
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import CAMILLE, NOW

PAGE = "/ferme/reglages"
LIST = f"{PAGE}/nouvelles"
ADD, FIRST = f"{LIST}/ajout", f"{LIST}/1"


def news(session: Session) -> list[News]:
    session.expire_all()
    return list(session.scalars(select(News).order_by(News.id)))


def test_everything_that_is_set_up_is_a_step_away(office):
    page = office.get("/ferme/sommaire")
    for path in ("/ferme/tournees", "/ferme/points-de-retrait", PAGE):
        assert f'href="{path}"' in page.text
        assert 'href="/ferme/sommaire" aria-current="page"' in office.get(path).text


# The card


def test_the_farms_card_is_changed_and_shown_everywhere(admin, session):
    assert admin.submit(PAGE, PROFILE).status_code == 303
    page = admin.get(PAGE)
    assert "La fiche de la ferme est enregistrée." in text_of(page)
    assert 'href="tel:+33465710002"' in page.text
    [event] = events(session)
    assert (event.action, event.account_id) == ("farm_profile.change", 4)
    assert event.before["tagline"] == "Des légumes de la vallée"
    assert event.after == {"tagline": "Des légumes, tout près", "phone_hours": "", "fields": ["phone"]}


def test_the_season_begins_on_the_day_that_the_farm_says(admin, session):
    assert admin.submit(PAGE, PROFILE | {"season_day": "15", "season_month": "3"}).status_code == 303
    assert session.scalars(select(FarmProfile.season_first)).all() == [315]
    assert '<option selected value="15">' in admin.get(PAGE).text


def test_a_farm_without_a_card_gets_one(office, session):
    session.execute(delete(FarmProfile))
    session.commit()
    assert office.submit(PAGE, PROFILE).status_code == 303
    assert session.scalars(select(FarmProfile.phone)).all() == ["04 65 71 00 02"]
    assert [event.action for event in events(session)] == ["farm_profile.create"]


def test_saving_the_same_card_notes_nothing(office, session):
    for _ in range(2):
        office.submit(PAGE, PROFILE)
    assert len(events(session)) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"season_day": "29", "season_month": "2"},
            "La saison commence le : ce mois n'a pas autant de jours.",
        ),
        ({"name": ""}, "Nom de la ferme : à remplir."),
        ({"tagline": "x" * 201}, "Phrase d'accueil : 200 caractères au plus, il y en a 201."),
        ({"email": "ferme"}, "Adresse e-mail : une adresse entière, comme nom@exemple.fr."),
        ({"email": "a@b.fr\r\nBcc: c@d.fr"}, "Adresse e-mail : une adresse entière, comme nom@exemple.fr."),
        ({"phone": "112"}, "Téléphone : dix chiffres, comme 04 65 71 00 01."),
        ({"postcode": "057000"}, "Code postal : cinq chiffres, comme 05300."),
        ({"town": ["Serres", "Gap"]}, "Commune : envoyez ce champ une fois."),
        ({"certifier": "Ecocert"}, "Code du certificateur bio : un code comme FR-BIO-01."),
        (
            {"certifier": "FR-BIO-01"},
            "Lien vers le certificat : à remplir aussi, ou laissez les deux vides.",
        ),
        (
            {"certificate": "https://example.org/c"},
            "Code du certificateur bio : à remplir aussi, ou laissez les deux vides.",
        ),
        (
            {"certifier": "FR-BIO-01", "certificate": "http://example.org/c"},
            "Lien vers le certificat : une adresse entière, comme https://exemple.fr/certificat.pdf.",
        ),
    ],
)
def test_what_cannot_be_on_a_card_is_refused_by_name(office, session, change, says):
    answer = office.submit(PAGE, PROFILE | change)
    assert answer.status_code == 422 and text_of(answer).count(says) == 2
    assert 'value="12 chemin des Canaux"' in answer.text
    assert events(session) == []


def test_a_missing_field_of_the_card_is_refused(office, session):
    for field in PROFILE:
        assert office.submit(PAGE, {k: v for k, v in PROFILE.items() if k != field}).status_code == 422, field
    assert events(session) == []


def test_the_certificate_is_kept_and_taken_away_again(admin, session):
    certificate = {"certifier": "fr-bio-01", "certificate": "https://example.org/c.pdf"}
    admin.submit(PAGE, PROFILE | certificate)
    kept = select(FarmProfile.certifier, FarmProfile.certificate)
    assert session.execute(kept).one() == ("FR-BIO-01", "https://example.org/c.pdf")
    session.rollback()
    assert 'href="https://example.org/c.pdf"' in admin.get("/conditions").text
    admin.submit(PAGE, PROFILE)
    assert session.execute(kept).one() == (None, None)
    assert events(session)[-1].before == {
        "certifier": "FR-BIO-01",
        "certificate": "https://example.org/c.pdf",
    }
    session.rollback()
    assert "Certificat" not in text_of(admin.get("/conditions"))


# The news


def test_news_are_published_at_once_and_read_as_paragraphs(admin, session):
    assert admin.submit(ADD, NEWS).status_code == 303
    assert news(session)[-1].published_at == NOW
    assert "La nouvelle est publiée" in text_of(admin.get(LIST))
    admin.sign_in(CAMILLE)
    home = admin.get("/espace")
    assert "<p>Bonjour\u202f!</p>\n<p>À mardi.</p>" in home.text
    [event] = events(session)
    assert (event.action, event.after) == ("news.create", {"published_at": NOW.isoformat()})


def test_news_for_later_appear_when_their_minute_comes_on_the_wall_clock(office, session, clock):
    office.submit(ADD, NEWS | {"day": "2026-06-12", "time": "08:30"})
    assert news(session)[-1].published_at == datetime(2026, 6, 12, 6, 30, tzinfo=UTC)
    page = text_of(office.get(LIST))
    assert "elle paraîtra plus tard" in page and "À venir paraît le vendredi 12 juin, 8 h 30" in page
    for second, shown in ((-1, False), (0, True)):
        clock.move_to(datetime(2026, 6, 12, 6, 30, tzinfo=UTC) + timedelta(seconds=second))
        office.sign_in(CAMILLE)
        assert ("La récolte commence" in text_of(office.get("/espace"))) == shown


def test_news_of_late_in_the_evening_have_the_day_of_the_wall_clock(office, session):
    office.submit(ADD, NEWS | {"day": "2026-06-10", "time": "00:30"})
    office.sign_in(CAMILLE)
    assert "La récolte commence mercredi 10 juin" in text_of(office.get("/espace"))


def test_news_are_changed_and_keep_their_moment_to_the_second(admin, session):
    [first] = news(session)
    first.published_at = published_at = NOW.replace(second=42) - timedelta(days=2)
    session.commit()
    page = admin.get(FIRST)
    assert 'value="2026-06-08"' in page.text and 'value="10:00"' in page.text
    admin.submit(FIRST, NEWS | {"day": "2026-06-08", "time": "10:00"})
    [changed] = news(session)
    assert (changed.title, changed.published_at) == ("La récolte commence", published_at)
    [event] = events(session)
    assert (event.action, event.before, event.after) == ("news.change", None, {"fields": ["title", "text"]})


def test_news_are_removed_once(admin, session):
    for _ in range(2):
        assert admin.submit(f"{FIRST}/suppression").status_code == 303
    assert news(session) == []
    assert [event.action for event in events(session)] == ["news.remove"]
    assert "Pas encore de nouvelle." in text_of(admin.get(LIST))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"title": ""}, "Titre : à remplir."),
        ({"text": " \r\n "}, "Texte : à remplir."),
        ({"text": "x" * 5001}, "Texte : 5 000 caractères au plus, il y en a 5 001."),
        ({"day": "2026-06-12"}, "Heure : à remplir aussi, ou laissez les deux vides."),
        ({"time": "08:30"}, "Jour : à remplir aussi, ou laissez les deux vides."),
        ({"day": "0001-01-01", "time": "00:00"}, "Jour : une date, comme 2026-06-01."),
        ({"day": "2026-06-12", "time": "8 h"}, "Heure : une heure, comme 16:30."),
    ],
)
def test_what_cannot_be_published_is_refused_by_name(office, session, change, says):
    for path in (ADD, FIRST):
        answer = office.submit(path, NEWS | change)
        assert answer.status_code == 422 and text_of(answer).count(says) == 2
    assert len(news(session)) == 1 and events(session) == []


def test_a_missing_field_of_the_news_is_refused(office, session):
    for field in NEWS:
        assert office.submit(ADD, {k: v for k, v in NEWS.items() if k != field}).status_code == 422, field
    assert len(news(session)) == 1


def test_markup_in_the_news_is_text(office):
    office.submit(ADD, NEWS | {"title": "<b>x", "text": "<script>1</script>\n\n<b>y"})
    for path in (LIST, f"{LIST}/2", "/espace"):
        page = office.get(path).text
        assert "<b>" not in page and "<script>1" not in page


@pytest.mark.parametrize("key", ["0", "-1", "99", f"{2**63}", "%00", "x"])
def test_news_that_do_not_exist_are_not_found(office, key):
    path = f"{LIST}/{key}"
    assert office.get(path).status_code == 404
    assert office.submit(path, NEWS).status_code in {404, 405}


@pytest.mark.parametrize("path", [PAGE, LIST, FIRST, ADD, "/ferme/sommaire"])
def test_a_page_takes_few_statements(office, session, count_queries, path):
    session.add_all(News(title=f"N° {n}", text="Bonjour", published_at=NOW) for n in range(30))
    session.commit()
    with count_queries() as statements:
        assert office.get(path).status_code == 200
    assert len(statements) <= 5
