"""Invented subscribers: names as they are met in the two valleys, and how to reach them."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from portal.rules.permissions import EVERYDAY, RoleName
from portal.web.i18n import french

PASSPHRASE = "trois carottes et deux navets dans un panier"  # noqa: S105 - shown to everybody


@dataclass(frozen=True)
class Person:
    first_name: str
    last_name: str
    email: str
    phone: str | None


SUBSCRIBER = Person("Camille", "Reynaud", "abonnee@example.org", "06 39 98 12 40")
SHARER = Person("Sacha", "Reynaud", "foyer@example.org", "06 39 98 12 41")
"""With whom she shares her boxes."""
STAFF = Person("Nadia", "Belkacem", "ferme@example.org", "06 39 98 00 11")
ADMIN = Person("Étienne", "Pellegrin", "gestion@example.org", "06 39 98 00 12")

TEAM = (
    (STAFF, EVERYDAY),
    (ADMIN, (*EVERYDAY, RoleName.ADMIN)),
    (Person("Lucile", "Fabre", "accueil@example.org", "06 39 98 00 13"), (RoleName.DESK,)),
    (Person("Bastien", "Meyer", "cultures@example.org", "06 39 98 00 14"), (RoleName.GROWING,)),
    (Person("Samia", "Haddad", "logistique@example.org", "06 39 98 00 15"), (RoleName.LOGISTICS,)),
    (Person("Colette", "Imbert", "compta@example.org", None), (RoleName.ACCOUNTS,)),
)
"""Who works there: some a bit of everything, one for each role."""

TREASURER = "compta@example.org"

SIGN_INS = (
    (SUBSCRIBER.email, "une abonnée, légumes et œufs"),
    (SHARER.email, "qui partage les paniers de l'abonnée"),
    (STAFF.email, "l'équipe de la ferme, qui fait un peu de tout"),
    (ADMIN.email, "l'administration"),
    ("accueil@example.org", "un seul rôle : l'accueil"),
    ("cultures@example.org", "les cultures"),
    ("logistique@example.org", "la logistique"),
    ("compta@example.org", "la compta"),
)

# Names that break a narrow page or a careless query; every demo farm has them.
UNUSUAL = (
    ("Marie-Bartholoméa", "de Montgolfier-Lestrade d'Entraigues-sur-Durance"),
    ("Maëlys", "N'Diaye"),
    ("Jean-François-Xavier", "L'Hermitte"),
    ("Lý", "Ô"),
    ("Léo", "Null"),
)

FIRST_NAMES = (
    "Adèle", "Agnès", "Ahmed", "Aïcha", "Alain", "Alice", "Aline", "Amélie", "Anaïs", "André",
    "Anne-Laure", "Antoine", "Arthur", "Aurélie", "Baptiste", "Béatrice", "Benoît", "Bernadette", "Bruno",
    "Capucine", "Caroline", "Catherine", "Cécile", "Célestin", "Chantal", "Charlotte", "Chloé",
    "Christian", "Claire", "Clémence", "Colette", "Corentin", "Damien", "Daniel", "David", "Delphine",
    "Denis", "Dominique", "Édith", "Élise", "Élodie", "Emma", "Émile", "Éric", "Esther", "Fabien",
    "Fatima", "Félix", "Florence", "François", "Françoise", "Gabriel", "Geneviève", "Gérard", "Gilles",
    "Guillaume", "Gwenaëlle", "Hélène", "Hugo", "Inès", "Isabelle", "Ismaël", "Jacqueline", "Jean-Luc",
    "Jeanne", "Jérémie", "Joël", "Juliette", "Karim", "Laëtitia", "Laurent", "Léa", "Lilou", "Louis",
    "Loïc", "Lucie", "Madeleine", "Magali", "Malika", "Manon", "Marc", "Margaux", "Marie-Noëlle",
    "Mathilde", "Maxime", "Mehdi", "Mélanie", "Michel", "Mireille", "Morgane", "Nathalie", "Nicolas",
    "Noémie", "Odile", "Olivier", "Océane", "Pascal", "Patricia", "Paul", "Philippe", "Pierre-Yves",
    "Quentin", "Rachid", "Raphaël", "Régine", "Rémi", "Romain", "Rosa", "Sabine", "Samir", "Sandrine",
    "Sébastien", "Simone", "Solène", "Stéphane", "Suzanne", "Sylvain", "Théo", "Thérèse", "Thi Mai",
    "Valérie", "Véronique", "Victor", "Vincent", "Yasmine", "Yves", "Zoé",
)  # fmt: skip

LAST_NAMES = (
    "Achard", "Allemand", "Amar", "André", "Armand", "Arnaud", "Aubert", "Audibert", "Barbosa",
    "Baudouin", "Benkhelifa", "Bérard", "Bernard", "Bertrand", "Blanc", "Bonnabel", "Borel", "Bouchet",
    "Boyer", "Brunet", "Calvi", "Camara", "Carlier", "Chabre", "Chaix", "Champsaur", "Chastel",
    "Chevalier", "Clément", "Colomb", "Corréard", "Da Costa", "Delacroix", "Derbez", "Diallo", "Disdier",
    "Dubois", "Dufour", "Durand", "El Amrani", "Espitallier", "Estève", "Eyraud", "Fabre", "Faure",
    "Ferrari", "Fontaine", "Fournier", "Gallego", "Garcin", "Garnier", "Gauthier", "Gérard", "Girard",
    "Giraud", "Gontard", "Grimaud", "Guérin", "Guillaume", "Haddad", "Hermitte", "Hodoul", "Imbert",
    "Jacquemin", "Jaubert", "Joubert", "Keïta", "Kowalski", "Lagier", "Lambert", "Laurens", "Lefèvre",
    "Legrand", "Le Goff", "Leroy", "Lombard", "Lopez", "Maître", "Marcellin", "Marrou", "Martin", "Masse",
    "Mathieu", "Maurel", "Meunier", "Meyer", "Michel", "Millou", "Moreau", "Morel", "Moullet", "Nguyễn",
    "Nicolas", "Noël", "Orcière", "Pascal", "Pauchon", "Peyron", "Philip", "Pons", "Poncet", "Queyrel",
    "Rambaud", "Rebattu", "Reboul", "Renard", "Ricard", "Richaud", "Rispaud", "Robert", "Rolland",
    "Rossi", "Rougon", "Rousset", "Roux", "Saïdi", "Samuel", "Santos", "Sarrazin", "Schmitt", "Serres",
    "Silvestre", "Simon", "Tanguy", "Taxil", "Templier", "Thomé", "Tourniaire", "Tourrès", "Traoré",
    "Vallet", "Vernet", "Vieux", "Vincent", "Weber", "Zanetti", "Ziani",
)  # fmt: skip


NOTES = (
    "Préfère être appelée plutôt que de recevoir un mail.",
    "Passe après 18 h 30 : laisser le panier derrière le comptoir.",
    "Sa voisine retire le panier un mardi sur deux.",
    "Paie en espèces une fois par mois.",
    "Rend toujours les bocaux et les boîtes à œufs.",
)
NOTED_EVERY = 12


def note_of(number: int) -> str | None:
    """What the team knows of some of them."""
    nth, rest = divmod(number, NOTED_EVERY)
    return None if rest else french(NOTES[nth % len(NOTES)])


def subscribers(draw: Random) -> Iterator[Person]:
    """Endless people, every address once; a few share a name, as people do."""
    taken: dict[str, int] = {}
    for number, (first_name, last_name) in enumerate(_names(draw)):
        local = _address(f"{first_name}.{last_name}")
        taken[local] = taken.get(local, 0) + 1
        suffix = str(taken[local]) if taken[local] > 1 else ""
        domain = "example.org" if number % 3 else "example.net"
        phone = f"{draw.randrange(10_000):04}"
        yield Person(
            first_name,
            last_name,
            f"{local}{suffix}@{domain}",
            f"06 39 98 {phone[:2]} {phone[2:]}" if draw.random() < 0.9 else None,
        )


def _names(draw: Random) -> Iterator[tuple[str, str]]:
    yield from UNUSUAL
    while True:
        first_name, last_name = draw.choice(FIRST_NAMES), draw.choice(LAST_NAMES)
        if draw.random() < 0.06:
            last_name = f"{last_name}-{draw.choice(LAST_NAMES)}"
        yield first_name, last_name


def _address(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z.]+", "-", ascii_name)[:60].rstrip("-.")
