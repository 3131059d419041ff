"""The demo farm's profile, rounds, formulas and news.

Everything is invented. Telephone numbers lie in the ranges that ARCEP keeps for fiction, addresses of mails
and pages below example.org and example.net, which RFC 2606 reserves; no certifier has the number 99.
"""

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True)
class Farm:
    name: str
    tagline: str
    address: str
    postcode: str
    town: str
    phone: str
    email: str
    phone_hours: str
    certifier: str
    certificate: str


@dataclass(frozen=True)
class Tour:
    slug: str
    name: str
    weekday: int  # Monday is 0
    lead_days: int
    closes_at: time


@dataclass(frozen=True)
class Formula:
    slug: str
    name: str
    short_name: str
    description: str
    serves: str
    price: int  # cents, VAT included
    vat: int  # basis points
    kind: str
    weight: int  # places that it takes at a pickup point
    drawing: str
    per_crate: int


@dataclass(frozen=True)
class News:
    title: str
    text: str
    days_ago: int


FARM = Farm(
    name="Les Jardins de la Blaisance",
    tagline="Des légumes bio de la vallée du Buëch, et des emplois pour rebondir",
    address="120 chemin des Iscles, Lagrand",
    postcode="05300",
    town="Garde-Colombe",
    phone="04 65 71 20 35",
    email="bonjour@example.org",
    phone_hours="du lundi au vendredi, de 8 h 30 à 12 h et de 13 h 30 à 16 h 30",
    certifier="FR-BIO-99",
    certificate="https://example.org/certificat.pdf",
)

# Sunday for Tuesday, Monday for Thursday, Tuesday for Friday, all at 23:59 (the farm's guide).
TOURS = (
    Tour("mardi", "Tournée du mardi", weekday=1, lead_days=2, closes_at=time(23, 59)),
    Tour("jeudi", "Tournée du jeudi", weekday=3, lead_days=3, closes_at=time(23, 59)),
    Tour("vendredi", "Tournée du vendredi", weekday=4, lead_days=3, closes_at=time(23, 59)),
)

FORMULAS = (
    Formula(
        "petit-panier",
        "Petit panier",
        "Petit",
        "L'essentiel de la semaine, cinq à sept légumes, pour cuisiner frais sans rien perdre.",
        serves="1 à 2 personnes",
        price=1150,
        vat=550,
        kind="vegetables",
        weight=1,
        drawing="box-small",
        per_crate=8,
    ),
    Formula(
        "panier-moyen",
        "Panier moyen",
        "Moyen",
        "Six à neuf légumes variés, de quoi composer les repas d'un couple ou d'une petite famille.",
        serves="2 à 3 personnes",
        price=1600,
        vat=550,
        kind="vegetables",
        weight=1,
        drawing="box-medium",
        per_crate=6,
    ),
    Formula(
        "grand-panier",
        "Grand panier",
        "Grand",
        "Sept à dix légumes en belles quantités, pour une famille qui cuisine tous les jours.",
        serves="4 à 5 personnes",
        price=2400,
        vat=550,
        kind="vegetables",
        weight=2,
        drawing="box-large",
        per_crate=4,
    ),
    Formula(
        "oeufs-par-6",
        "Œufs par 6",
        "Œufs",
        "Six œufs bio de poules élevées en plein air, à Trescléoux, livrés avec ou sans panier de légumes.",
        serves="la boîte de 6",
        price=270,
        vat=550,
        kind="eggs",
        weight=0,
        drawing="eggs",
        per_crate=20,
    ),
)

NEWS = (
    News(
        "Les serres changent de saison",
        "L'équipe a vidé deux tunnels cette semaine et semé aussitôt les cultures suivantes. Si une "
        "variété manque dans votre panier, c'est qu'elle laisse la place à la prochaine, patience !",
        days_ago=2,
    ),
    News(
        "Rapportez vos cagettes et vos boîtes à œufs",
        "Une cagette tient en moyenne trois ans quand elle revient à la ferme. Vous pouvez laisser les "
        "vôtres, pliées, à votre point de retrait ; nous les récupérons à chaque tournée.",
        days_ago=9,
    ),
    News(
        "Bravo à Fatou et à Jean-Luc",
        "Après dix-huit mois aux jardins, Fatou rejoint une pépinière de Tallard et Jean-Luc commence une "
        "formation de conducteur d'engins. Toute l'équipe est fière d'eux et leur souhaite bonne route.",
        days_ago=23,
    ),
    News(
        "Une matinée au champ avec les abonnés",
        "Vous étiez une quarantaine à venir désherber, goûter et poser mille questions samedi dernier. "
        "Merci pour votre aide et pour les gâteaux ; la prochaine visite sera annoncée ici.",
        days_ago=41,
    ),
)
