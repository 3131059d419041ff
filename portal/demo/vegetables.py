"""Forty vegetables and the eggs: when they are in season at 600 m in the Buëch valley, how to keep them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Vegetable:
    slug: str
    name: str  # as a box's list shows it
    unit: str  # as catalogue.Unit writes it: kg, g, piece, bunch
    drawing: str
    months: frozenset[int]
    price: int  # cents, for a kilogram, a piece or a bunch
    amounts: tuple[int, int, int]  # usual in a small, medium, large box: grams, pieces or bunches
    storage: str

    @property
    def weighed(self) -> bool:
        return self.unit in ("kg", "g")

    def value(self, amount: int) -> int:
        """What this much of it is worth, in cents."""
        return self.price * amount // 1000 if self.weighed else self.price * amount


@dataclass(frozen=True)
class Harvest:
    """Where a vegetable grows and what it is picked with, put into and kept in."""

    parcel: str | None
    tool: str | None
    crate: str
    kept_in: str
    margin: int  # percent, on top of what is needed


def _from(first: int, last: int) -> frozenset[int]:
    """The months from one to another, over the new year where the first is the later one."""
    return frozenset((first + step - 1) % 12 + 1 for step in range((last - first) % 12 + 1))


# Roots, bulbs and tubers
_ROOTS = (
    Vegetable(
        "carottes", "Carottes", "kg", "carrot", _from(7, 4), 250, (500, 700, 900),
        "Coupez les fanes dès le retour, elles dessèchent la racine, puis gardez les carottes au bac à "
        "légumes dans un torchon, deux à trois semaines. Ne les lavez qu'au moment de les cuisiner : la "
        "terre les protège.",
    ),
    Vegetable(
        "carottes-nouvelles", "Carottes nouvelles", "bunch", "carrot", _from(5, 7), 260, (1, 1, 1),
        "Séparez les fanes des racines et mettez les carottes au frais dans un sac fermé, une petite "
        "semaine. Les fanes, lavées, se gardent deux jours et font un bon pesto ou une soupe.",
    ),
    Vegetable(
        "pommes-de-terre", "Pommes de terre", "kg", "potato", _from(8, 4), 200, (800, 1000, 1200),
        "Rangez-les dans un endroit sombre, sec et frais, jamais au réfrigérateur ni près des oignons. À "
        "la lumière elles verdissent : retirez largement les parties vertes et les germes avant de les "
        "cuire.",
    ),
    Vegetable(
        "pommes-de-terre-nouvelles", "Pommes de terre nouvelles", "kg", "potato", _from(6, 7), 340,
        (600, 800, 1000),
        "Gardez-les à l'abri de la lumière, au frais, et mangez-les dans la semaine : leur peau fine ne "
        "les protège pas longtemps. Un simple brossage sous l'eau suffit, inutile de les peler.",
    ),
    Vegetable(
        "oignons-jaunes", "Oignons jaunes", "kg", "onion", _from(8, 4), 270, (300, 500, 700),
        "Laissez-les à l'air libre dans un filet ou un panier, au sec et à l'ombre, loin des pommes de "
        "terre. Un oignon entamé se garde trois jours au réfrigérateur dans une boîte fermée.",
    ),
    Vegetable(
        "oignons-frais", "Oignons frais", "bunch", "onion", _from(5, 7), 220, (1, 1, 1),
        "Mettez la botte au bac à légumes dans un linge humide, elle tient une semaine. Les tiges vertes se "
        "ciselent comme de la ciboulette et se congèlent très bien.",
    ),
    Vegetable(
        "echalotes", "Échalotes", "g", "onion", _from(8, 2), 650, (150, 200, 300),
        "Gardez-les au sec, à l'ombre et à l'air, plusieurs mois sans souci. L'humidité du réfrigérateur "
        "les fait germer, ne l'utilisez que pour une échalote déjà épluchée.",
    ),
    Vegetable(
        "ail", "Ail", "piece", "garlic", _from(7, 1), 110, (1, 2, 2),
        "Laissez les têtes entières dans un lieu sec et aéré, hors du réfrigérateur, elles tiennent "
        "plusieurs mois. Une tête ouverte s'utilise en une dizaine de jours ; ôtez le germe pour la "
        "digestion.",
    ),
    Vegetable(
        "betteraves", "Betteraves", "kg", "beet", _from(7, 4), 280, (400, 500, 700),
        "Coupez les feuilles à deux centimètres de la racine et gardez les betteraves au bac à légumes, "
        "deux à trois semaines. Cuisez-les avec la peau pour qu'elles ne perdent pas leur jus ; elle "
        "s'enlève ensuite au doigt.",
    ),
    Vegetable(
        "radis-roses", "Radis roses", "bunch", "radish", _from(4, 6) | _from(9, 10), 180, (1, 1, 1),
        "Ôtez les fanes dès le retour et gardez les radis au frais dans une boîte fermée, quatre à cinq "
        "jours. S'ils ramollissent, une heure dans un bol d'eau glacée leur rend leur croquant.",
    ),
    Vegetable(
        "navets", "Navets", "kg", "turnip", _from(5, 6) | _from(10, 3), 300, (400, 500, 700),
        "Retirez les fanes et gardez les navets au bac à légumes dans un sac perforé, une à deux "
        "semaines. Petits et frais, ils se mangent aussi crus, en fines tranches.",
    ),
    Vegetable(
        "panais", "Panais", "kg", "carrot", _from(11, 3), 360, (400, 500, 700),
        "Enveloppez-les d'un linge au bac à légumes, ils se gardent deux à trois semaines. Coupés, ils "
        "brunissent vite : un filet de citron ou un bol d'eau les garde blancs jusqu'à la cuisson.",
    ),
    Vegetable(
        "celeri-rave", "Céleri-rave", "piece", "celeriac", _from(10, 3), 300, (1, 1, 1),
        "Entier et non lavé, il tient trois semaines au bac à légumes. Entamé, frottez la coupe de citron, "
        "couvrez-la et utilisez le reste dans les cinq jours.",
    ),
)  # fmt: skip

# Leaves, stems, cabbages
_LEAVES = (
    Vegetable(
        "poireaux", "Poireaux", "kg", "leek", _from(9, 4), 320, (500, 700, 900),
        "Au bac à légumes, entiers et sans les laver, ils se gardent une bonne semaine. Coupez le haut du "
        "vert s'il vous gêne, et gardez-le pour un bouillon.",
    ),
    Vegetable(
        "batavia", "Salade batavia", "piece", "salad", _from(4, 11), 120, (1, 1, 2),
        "Enveloppez-la dans un torchon humide au bac à légumes, elle reste croquante quatre à cinq jours. "
        "Une fois lavée et bien essorée, elle tient deux jours dans une boîte avec un linge sec.",
    ),
    Vegetable(
        "mache", "Mâche", "g", "salad", _from(10, 4), 1200, (120, 150, 200),
        "Gardez-la au frais dans une boîte fermée et mangez-la dans les trois ou quatre jours. Lavez-la "
        "au dernier moment, en plusieurs eaux et sans la laisser tremper.",
    ),
    Vegetable(
        "mesclun", "Mesclun", "g", "salad", _from(4, 6) | _from(9, 11), 1300, (120, 150, 200),
        "Mettez-le au réfrigérateur dans une boîte avec un linge sec, trois jours au plus. Assaisonnez-le "
        "juste avant de servir, ses jeunes feuilles fanent vite.",
    ),
    Vegetable(
        "epinards", "Épinards", "g", "spinach", _from(3, 5) | _from(10, 12), 620, (300, 400, 500),
        "Au bac à légumes dans un sac entrouvert, ils tiennent deux à trois jours. Si vous manquez de temps, "
        "blanchissez-les deux minutes, essorez-les et congelez-les en boules.",
    ),
    Vegetable(
        "blettes", "Blettes", "bunch", "chard", _from(5, 11), 280, (1, 1, 1),
        "Enveloppez la botte d'un linge humide au bac à légumes et mangez-la dans les trois à quatre "
        "jours. Les côtes demandent dix minutes de cuisson de plus que les feuilles, séparez-les.",
    ),
    Vegetable(
        "fenouil", "Fenouil", "kg", "fennel", _from(6, 7) | _from(9, 11), 390, (400, 500, 700),
        "Au bac à légumes dans un sac, il garde son parfum une semaine. Les plumets se coupent et se "
        "conservent comme une herbe, pour un poisson ou une salade.",
    ),
    Vegetable(
        "celeri-branche", "Céleri branche", "piece", "celery", _from(8, 11), 260, (1, 1, 1),
        "Enveloppé d'un linge humide au frais, il reste croquant une semaine. Les feuilles sèchent "
        "facilement et parfument soupes et bouillons tout l'hiver.",
    ),
    Vegetable(
        "chou-vert-frise", "Chou vert frisé", "piece", "cabbage", _from(10, 3), 290, (1, 1, 1),
        "Entier, il tient deux semaines au bac à légumes ; entamé, couvrez la coupe et comptez cinq "
        "jours. Prélevez les feuilles de l'extérieur vers le cœur plutôt que de le trancher, il durera "
        "plus longtemps.",
    ),
    Vegetable(
        "chou-rouge", "Chou rouge", "piece", "cabbage", _from(10, 3), 300, (1, 1, 1),
        "Il se garde trois semaines au frais, entier, et une semaine une fois coupé et couvert. Un trait "
        "de vinaigre à la cuisson lui garde sa belle couleur.",
    ),
    Vegetable(
        "brocoli", "Brocoli", "piece", "broccoli", _from(6, 7) | _from(9, 11), 270, (1, 1, 1),
        "Au bac à légumes, sans le laver, mangez-le dans les trois à quatre jours, avant que les fleurs "
        "jaunissent. Le pied est aussi bon que le bouquet : épluchez-le et coupez-le en bâtonnets.",
    ),
    Vegetable(
        "chou-fleur", "Chou-fleur", "piece", "cauliflower", _from(5, 6) | _from(9, 12), 340, (1, 1, 1),
        "Laissez-lui ses feuilles et gardez-le au bac à légumes, cinq à six jours. Ne le lavez qu'une "
        "fois détaillé en bouquets, l'humidité le tache.",
    ),
    Vegetable(
        "persil", "Persil plat", "bunch", "herb", _from(4, 11), 110, (1, 1, 1),
        "Coupez le bout des tiges et mettez-le dans un verre d'eau au réfrigérateur, il tient une "
        "semaine. Le surplus se congèle haché, sans perdre son goût.",
    ),
)  # fmt: skip

# Fruits, pods, flowers, and what grows under cover
_FRUITS = (
    Vegetable(
        "tomates", "Tomates", "kg", "tomato", _from(7, 10), 380, (600, 800, 1000),
        "Gardez-les à température ambiante, queue vers le haut, jamais au réfrigérateur qui éteint leur "
        "goût. Les plus mûres d'abord ; celles qui s'abîment font un coulis qui se congèle.",
    ),
    Vegetable(
        "tomates-cerises", "Tomates cerises", "g", "tomato", _from(7, 9), 750, (250, 300, 400),
        "Laissez-les dans un saladier à température ambiante, sans les empiler, quatre à cinq jours. "
        "Lavez-les juste avant de les manger, l'eau les fait éclater.",
    ),
    Vegetable(
        "courgettes", "Courgettes", "kg", "courgette", _from(6, 10), 270, (500, 700, 1000),
        "Au bac à légumes, sèches et non lavées, elles tiennent quatre à cinq jours. Râpées puis "
        "congelées, elles attendent l'hiver pour un gratin ou un cake.",
    ),
    Vegetable(
        "aubergines", "Aubergines", "kg", "aubergine", _from(7, 9), 400, (400, 600, 800),
        "Dans un endroit frais de la cuisine ou en haut du réfrigérateur, mangez-les dans les quatre "
        "jours. La chair brunit une fois coupée : citronnez-la ou cuisez-la aussitôt.",
    ),
    Vegetable(
        "poivrons", "Poivrons", "kg", "pepper", _from(7, 10), 440, (300, 400, 600),
        "Au bac à légumes, bien secs, ils tiennent une bonne semaine. Grillés et pelés, ils se gardent "
        "cinq jours au frais sous un peu d'huile.",
    ),
    Vegetable(
        "concombre", "Concombre", "piece", "cucumber", _from(6, 9), 130, (1, 1, 2),
        "Gardez-le dans la partie la moins froide du réfrigérateur, cinq jours environ. Une fois coupé, "
        "couvrez l'entame et mangez-le dans les deux jours.",
    ),
    Vegetable(
        "haricots-verts", "Haricots verts", "g", "bean", _from(7, 9), 800, (300, 400, 500),
        "Au bac à légumes dans un sac en papier, cuisinez-les dans les trois jours. Équeutés et blanchis "
        "trois minutes, ils se congèlent très bien ; ne les mangez jamais crus.",
    ),
    Vegetable(
        "petits-pois", "Petits pois", "g", "pea", _from(5, 6), 700, (400, 500, 600),
        "Laissez-les dans leurs cosses au frais et mangez-les sous deux jours, leur sucre se change vite "
        "en amidon. Les cosses rincées donnent un bouillon très doux.",
    ),
    Vegetable(
        "artichauts", "Artichauts", "piece", "artichoke", _from(5, 7), 160, (1, 2, 2),
        "Crus, gardez-les quatre à cinq jours au réfrigérateur, ou la tige dans un verre d'eau comme un "
        "bouquet. Cuit, un artichaut se mange dans les vingt-quatre heures.",
    ),
    Vegetable(
        "potimarron", "Potimarron", "piece", "squash", _from(9, 1), 340, (1, 1, 1),
        "Entier, il se garde un à deux mois dans une pièce fraîche et sèche, sans toucher de voisin. Sa "
        "peau se mange, un bon brossage suffit ; coupé, il tient quatre jours au réfrigérateur.",
    ),
    Vegetable(
        "butternut", "Courge butternut", "piece", "squash", _from(10, 3), 380, (1, 1, 1),
        "Elle passe l'hiver entière dans une pièce sèche, entre 12 et 16 degrés, posée sans être empilée. "
        "Entamée, filmez la coupe et cuisinez-la dans la semaine.",
    ),
    Vegetable(
        "melon", "Melon", "piece", "melon", _from(7, 9), 270, (1, 1, 2),
        "Laissez-le mûrir à température ambiante ; il est prêt quand le pédoncule se fendille et qu'il "
        "embaume. Mûr ou coupé, mettez-le au réfrigérateur dans une boîte fermée, deux jours au plus.",
    ),
    Vegetable(
        "basilic", "Basilic", "bunch", "basil", _from(6, 9), 150, (1, 1, 1),
        "Mettez les tiges dans un verre d'eau sur la table de la cuisine, jamais au réfrigérateur qui "
        "noircit les feuilles. Le surplus se mixe avec un peu d'huile et se congèle en glaçons.",
    ),
    Vegetable(
        "pleurotes", "Pleurotes", "g", "mushroom", _from(1, 12), 1400, (150, 200, 250),
        "Dans un sac en papier au réfrigérateur, elles tiennent trois à quatre jours ; le plastique les "
        "fait suer. Ne les lavez pas, un coup de brosse ou un linge humide suffit.",
    ),
)  # fmt: skip

VEGETABLES = _ROOTS + _LEAVES + _FRUITS

EGGS = Vegetable(
    "oeufs", "Œufs de plein air", "piece", "egg", _from(1, 12), 45, (6, 6, 6),
    "Gardez-les au frais, pointe en bas et sans les laver : la coquille lavée laisse passer les germes. "
    "Dans un verre d'eau, un œuf frais reste au fond ; s'il flotte, ne le mangez pas.",
)  # fmt: skip

_FIELD = Harvest("Champ du Buëch, planches 1 à 12", "fourche-bêche", "caisse bois, 12 kg", "cave", 5)
_GARDEN = Harvest("Jardin des Iscles, planches 1 à 8", "couteau", "caisse verte, 6 kg", "chambre froide", 8)
_GREENHOUSE = Harvest("Serres 1 et 2", "sécateur", "caisse grise, 5 kg", "local frais, 12 °C", 3)
_BOUGHT = Harvest(None, None, "plateau de 30", "réserve", 0)


def harvest(vegetable: Vegetable) -> Harvest:
    if vegetable is EGGS:
        return _BOUGHT
    return _FIELD if vegetable in _ROOTS else _GARDEN if vegetable in _LEAVES else _GREENHOUSE
