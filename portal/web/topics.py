"""The words of what people are written about. What a topic `asks` is what they agree to, kept with the consent."""

from dataclasses import dataclass

from flask_babel import LazyString

from portal.rules.consents import Notice, Topic
from portal.web.i18n import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class TopicWords:
    name: LazyString
    asks: LazyString


TOPICS = {
    Topic.LETTER: TopicWords(
        _l("La feuille de chou"),
        _l("Je veux recevoir chaque semaine la lettre de la ferme : mon panier, les nouvelles, une recette."),
    ),
    Topic.SHOP: TopicWords(
        _l("La boutique"),
        _l("Je veux être prévenu·e des nouveautés et des offres de la boutique."),
    ),
    Topic.EVENTS: TopicWords(
        _l("Les rendez-vous"),
        _l("Je veux être invité·e aux rendez-vous de la ferme : portes ouvertes, chantiers, marchés."),
    ),
}

NOTICES = {
    Notice.COMPOSITION: _l("Ce que contient mon panier, dès que c'est connu"),
    Notice.CUTOFF: _l("La veille du dernier moment pour sauter ou changer mon panier"),
    Notice.PICKUP: _l("Le jour du retrait, avec le lieu et les heures"),
}
