"""What the demo farm itself grows, plants and puts into jars for the shop."""

from portal.catalogue.models import Label
from portal.demo.goods import ORNAMENTAL, Article, Good, vegetable
from portal.rules.selling import SaleUnit

PIECE, BUNCH, JAR, PACK, WEIGHT = SaleUnit

_CELLAR = (
    "Dans un placard, à l'abri de la lumière, le bocal attend deux ans. Ouvert, il se garde au réfrigérateur "
    "et se finit dans les quatre jours."
)
_SEEDLING = (
    "Arrosez dès l'arrivée et laissez le plant à l'abri du vent, à la lumière. Mettez-le en terre dans les "
    "trois jours, le soir ou par temps couvert."
)

_COULIS = Good("coulis-de-tomate", "Coulis de tomate", "piece", 450, "jar", _CELLAR)
_RATATOUILLE = Good("ratatouille", "Ratatouille", "piece", 620, "jar", _CELLAR)
_SOUP = Good("soupe-de-potimarron", "Soupe de potimarron", "piece", 560, "jar", _CELLAR)
_FERMENTED = Good(
    "choucroute-crue", "Choucroute crue", "piece", 590, "jar",
    "Elle est vivante : gardez le bocal au réfrigérateur, six mois fermé. Une fois ouvert, tassez bien les "
    "légumes sous leur jus et comptez un mois.",
)  # fmt: skip
_TOMATO_PLANT = Good("plant-de-tomate", "Plant de tomate", "piece", 280, "seedling", _SEEDLING)
_SALAD_PLANTS = Good("plants-de-batavia", "Plants de batavia", "piece", 300, "seedling", _SEEDLING)
_MARIGOLD = Good("plant-d-oeillet-d-inde", "Plant d'œillet d'Inde", "piece", 240, "flowers", _SEEDLING)
_FLOWERS = Good(
    "bouquet-de-saison", "Bouquet de saison", "bunch", 850, "flowers",
    "Recoupez les tiges en biais et changez l'eau tous les deux jours. Loin des fruits et du soleil, il tient "
    "une bonne semaine.",
)  # fmt: skip
_STRAWBERRIES = Good(
    "fraises", "Fraises", "kg", 1680, "strawberry",
    "Posez-les à plat, sans les laver, et mangez-les le jour même si vous le pouvez. Au réfrigérateur elles "
    "tiennent deux jours et y perdent leur parfum.",
)  # fmt: skip

FROM_THE_FIELDS = (
    Article(
        slug="carottes", name="Carottes", product=vegetable("carottes"), category="legumes",
        sale_unit=WEIGHT, price=290, label=Label.ORGANIC,
        description="Semées en terre sableuse au bord du Buëch, arrachées à la fourche et livrées avec leur "
        "terre, qui les garde fermes.",
    ),
    Article(
        slug="pommes-de-terre", name="Pommes de terre", product=vegetable("pommes-de-terre"),
        category="legumes", sale_unit=WEIGHT, price=230, label=Label.ORGANIC,
        variety="Désirée, à chair ferme",
        description="Une peau rouge et une chair jaune qui tient à la cuisson : la bonne à tout faire, de la "
        "salade tiède au gratin.",
    ),
    Article(
        slug="pommes-de-terre-filet-de-5-kg", name="Pommes de terre, le filet",
        product=vegetable("pommes-de-terre"), category="legumes", sale_unit=PACK, grams=5000, price=950,
        label=Label.ORGANIC, variety="Désirée, à chair ferme", former_price=900,
        description="La provision d'un mois pour une famille, au prix d'une réserve : le filet est moins cher "
        "au kilo que le vrac.",
    ),
    Article(
        slug="oignons-jaunes", name="Oignons jaunes", product=vegetable("oignons-jaunes"), category="legumes",
        sale_unit=WEIGHT, price=300, label=Label.ORGANIC,
        description="Séchés trois semaines sous le hangar, tête en bas. Ils passent l'hiver sans germer si on "
        "les oublie au bon endroit.",
    ),
    Article(
        slug="poireaux", name="Poireaux", product=vegetable("poireaux"), category="legumes",
        sale_unit=WEIGHT, price=360, label=Label.ORGANIC, coming_price=380,
        description="Des fûts longs et blancs, buttés deux fois. Les gelées de novembre les rendent plus doux.",
    ),
    Article(
        slug="batavia", name="Salade batavia", product=vegetable("batavia"), category="legumes",
        sale_unit=PIECE, price=140, label=Label.ORGANIC, variety="Blonde, catégorie I",
        per_delivery=60,
        description="Coupée le matin de la livraison, quand les feuilles sont encore pleines de rosée.",
    ),
    Article(
        slug="mache", name="Mâche", product=vegetable("mache"), category="legumes", sale_unit=PACK, grams=150,
        price=240, label=Label.ORGANIC, per_delivery=20,
        description="De petites rosettes à feuilles rondes, triées et lavées une première fois à la ferme.",
    ),
    Article(
        slug="radis-roses", name="Radis roses", product=vegetable("radis-roses"), category="legumes",
        sale_unit=BUNCH, price=200, label=Label.ORGANIC, months=(4, 6),
        description="Trente jours du semis à la botte, juste assez pour piquer sans brûler.",
    ),
    Article(
        slug="tomates", name="Tomates anciennes", product=vegetable("tomates"), category="legumes",
        sale_unit=WEIGHT, price=420, label=Label.ORGANIC,
        variety="Cœur de bœuf, Noire de Crimée, Ananas",
        description="Trois variétés dans le même sachet, cueillies mûres et portées à la main jusqu'au camion.",
    ),
    Article(
        slug="tomates-a-coulis", name="Tomates à coulis, la cagette", product=vegetable("tomates"),
        category="legumes", sale_unit=PACK, grams=5000, price=1290, label=Label.ORGANIC,
        variety="Roma", months=(8, 9), per_delivery=12, not_on=("vendredi",),
        description="Bien mûres, quelques-unes fendues, toutes bonnes : cinq kilos donnent environ six pots "
        "de sauce.",
    ),
    Article(
        slug="potimarron", name="Potimarron", product=vegetable("potimarron"), category="legumes",
        sale_unit=PIECE, price=380, label=Label.ORGANIC, variety="Red Kuri",
        description="Une pièce d'un kilo et demi environ, au goût de châtaigne. La peau se mange, inutile de "
        "l'éplucher.",
    ),
    Article(
        slug="pleurotes", name="Pleurotes", product=vegetable("pleurotes"), category="legumes",
        sale_unit=PACK, grams=250, price=390, label=Label.ORGANIC, per_delivery=15,
        description="Elles poussent dans l'ancienne bergerie, sur de la paille de nos voisins, et se "
        "cueillent la veille de la livraison.",
    ),
    Article(
        slug="fraises-mara-des-bois", name="Fraises, la barquette", product=_STRAWBERRIES, category="fruits",
        sale_unit=PACK, grams=250, price=420, label=Label.ORGANIC,
        variety="Mara des bois, catégorie I", months=(5, 9), per_delivery=25,
        description="Petites, tendres, avec le parfum des fraises des bois ; elles ne voyagent pas loin, "
        "c'est pour cela qu'elles sont bonnes.",
    ),
)  # fmt: skip

JARS = (
    Article(
        slug="coulis-de-tomate", name="Coulis de tomate", product=_COULIS, category="conserves-et-huiles",
        sale_unit=JAR, grams=420, price=450, label=Label.ORGANIC, perishable=False, stock=86,
        ingredients="Tomates* (98 %), sel, basilic*. *Issus de l'agriculture biologique.",
        description="Les tomates de fin août, mijotées trois heures dans notre atelier. Ni sucre ni "
        "concentré.",
    ),
    Article(
        slug="ratatouille", name="Ratatouille", product=_RATATOUILLE, category="conserves-et-huiles",
        sale_unit=JAR, grams=380, price=620, label=Label.ORGANIC, perishable=False, stock=0,
        ingredients="Courgettes*, tomates*, aubergines*, poivrons*, oignons*, huile de tournesol*, ail*, sel, "
        "thym*. *Issus de l'agriculture biologique.",
        description="Chaque légume est revenu à part avant de rejoindre les autres. L'été en bocal, jusqu'à "
        "la prochaine récolte.",
    ),
    Article(
        slug="soupe-de-potimarron", name="Soupe de potimarron", product=_SOUP,
        category="conserves-et-huiles", sale_unit=JAR, millilitres=720, price=560,
        label=Label.ORGANIC, perishable=False, stock=31,
        ingredients="Eau, potimarron* (42 %), pommes de terre*, CÉLERI-rave*, CRÈME* (LAIT), sel. *Issus de "
        "l'agriculture biologique.",
        allergens="céleri, lait",
        description="Deux assiettes pleines par bocal. À réchauffer doucement, avec une pincée de muscade "
        "si vous l'aimez.",
    ),
    Article(
        slug="choucroute-crue", name="Choucroute crue", product=_FERMENTED, category="conserves-et-huiles",
        sale_unit=JAR, grams=350, price=590, label=Label.ORGANIC, stock=4,
        ingredients="Chou blanc*, sel, baies de genièvre, cumin*. *Issus de l'agriculture biologique.",
        description="Du chou, du sel et six semaines de patience. Croquante, acidulée, à manger crue en "
        "salade.",
    ),
)  # fmt: skip

PLANTS = (
    Article(
        slug="plant-de-tomate", name="Plant de tomate", product=_TOMATO_PLANT, category="tisanes-et-plants",
        sale_unit=PIECE, price=280, label=Label.ORGANIC, variety="Cœur de bœuf",
        months=(4, 6), per_delivery=40,
        description="Semé en février, repiqué en pot de neuf centimètres. À 600 mètres, attendez les saints "
        "de glace pour le planter dehors.",
    ),
    Article(
        slug="plants-de-batavia", name="Plants de batavia, la barquette de six", product=_SALAD_PLANTS,
        category="tisanes-et-plants", sale_unit=PACK, price=300, label=Label.ORGANIC,
        variety="Blonde", months=(3, 9), per_delivery=20,
        description="Six mottes prêtes à repiquer à trente centimètres les unes des autres, pour six salades "
        "dans six semaines.",
    ),
    Article(
        slug="plant-d-oeillet-d-inde", name="Plant d'œillet d'Inde", product=_MARIGOLD,
        category="tisanes-et-plants", sale_unit=PIECE, price=240, vat=ORNAMENTAL,
        months=(4, 6), per_delivery=24,
        description="Une fleur orange jusqu'aux gelées, à mettre au pied des tomates comme nous le faisons "
        "sous nos tunnels.",
    ),
    Article(
        slug="bouquet-de-saison", name="Bouquet de saison", product=_FLOWERS, category="tisanes-et-plants",
        sale_unit=BUNCH, price=850, vat=ORNAMENTAL, months=(6, 10), per_delivery=8,
        not_on=("jeudi",), former_price=800,
        description="Zinnias, cosmos, scabieuses et un brin de fenouil, coupés au bord des planches de "
        "légumes. Jamais deux fois le même.",
    ),
)  # fmt: skip
