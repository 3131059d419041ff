import pytest

from portal.rules.alphabet import finds, french_order, search_words, slug_of


def test_accents_and_case_do_not_move_a_name():
    names = ["Zoé", "étienne", "Éric", "Eva", "Œuvrard", "Odile", "Ophélie"]
    assert sorted(names, key=french_order) == ["Éric", "étienne", "Eva", "Odile", "Œuvrard", "Ophélie", "Zoé"]


def test_hyphens_and_apostrophes_read_as_the_gaps_that_they_are():
    names = ["Le Gall", "L'Hostis", "Legrand", "Le-Bihan", "Le Bihan"]
    assert sorted(names, key=french_order) == ["L'Hostis", "Le Bihan", "Le-Bihan", "Le Gall", "Legrand"]


def test_first_names_decide_between_one_last_name_however_it_is_written():
    people = [("DURAND", "Zoé"), ("Durand", "Alice"), ("Durand-Blanc", "Adèle")]
    assert sorted(people, key=lambda p: french_order(*p)) == [people[1], people[0], people[2]]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Halle de l'Été", "halle-de-l-ete"),
        ("  Œuvre « Saint-Éloi » (2e) ", "oeuvre-saint-eloi-2e"),
        ("１ ½ ², rue", "1-1-2-2-rue"),
        ("市場", ""),
    ],
)
def test_a_name_for_addresses_is_plain_letters_and_digits(name, slug):
    assert slug_of(name) == slug


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", True),
        ("oeuf", True),
        ("ŒUFS", True),
        ("chataigneraie", True),
        ("œufs châtaig", True),
        ("poules", True),
        ("choux", True),
        ("s", False),
        ("oeufs canard", False),
        ("ataigneraie", False),
    ],
)
def test_what_is_typed_finds_the_words_that_it_begins(typed, found):
    assert finds(typed, "Œufs de poule", "La Châtaigneraie, chou") is found


def test_a_plural_finds_no_word_that_only_begins_like_its_singular():
    assert finds("pois", "Petits pois")
    assert not finds("pois", "Poireaux")
    assert not finds("noix", "Noisettes")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("06 39 98", ["063998"]),
        ("+33 6 39.98", ["063998"]),
        ("0033 (0)6 39 98", ["063998"]),
        ("Zélie 06-39", ["zelie", "0639"]),
        ("d'Arc  ŒUVRARD", ["darc", "oeuvrard"]),
        ("C10042", ["c10042"]),
        ("%_' \x00 --", []),
    ],
)
def test_what_is_typed_is_written_as_keys_are_and_a_number_is_one_word(typed, words):
    assert search_words(typed) == words
