"""What the demo farm's neighbours bring to the shop: fruit, milk, bread, honey, drinks, herbs."""

from portal.catalogue.models import Label
from portal.demo.goods import APIARY, BAKERY, BREWERY, DAIRY, HERBS, ORCHARD, STANDARD, Article, Good
from portal.rules.selling import SaleUnit

PIECE, BUNCH, JAR, PACK, WEIGHT = SaleUnit

_LOAF = (
    "Dans un torchon ou une boîte à pain, la coupe vers le bas, il reste bon cinq jours. Tranché, il se "
    "congèle et passe directement au grille-pain."
)
_DRY = (
    "Au sec, dans un bocal fermé, à l'abri de la lumière. Une feuille de laurier posée dessus tient les mites à "
    "distance."
)
_NUTS = (
    "Dans leur filet, au sec, au frais et à l'air, elles attendent le printemps. Cassées, elles rancissent vite : "
    "gardez les cerneaux au réfrigérateur, dans une boîte."
)
_FRUIT = (
    "Au frais, dans une cave ou au bac à légumes, loin des pommes de terre. Sortez-les une heure avant de les "
    "manger, elles n'en auront que plus de goût."
)
_STONE_FRUIT = (
    "Étalez-les dans une corbeille, sans les empiler ni les laver, et mangez les plus mûrs d'abord. Deux jours à "
    "température ambiante, quatre au réfrigérateur, où ils perdent leur parfum."
)
_CHEESE = (
    "Laissez le fromage dans son papier, dans la partie la moins froide du réfrigérateur. Sortez-le une "
    "demi-heure avant de le servir."
)
_FRESH = (
    "Au réfrigérateur, entre 2 et 6 degrés, jusqu'à la date inscrite sur l'étiquette. Une fois entamé, à finir "
    "dans les trois jours."
)
_BUTTER = (
    "Au réfrigérateur, dans son papier, loin de ce qui sent fort. Il se congèle très bien, coupé en deux ou en "
    "quatre."
)
_EGGS = (
    "Gardez-les au frais, pointe en bas, sans les laver, et mangez-les avant la date de la boîte. Rapportez la "
    "boîte vide à votre point de retrait, elle ressert."
)
_HONEY = (
    "À température ambiante, couvercle bien fermé, il se garde des années. S'il cristallise, un bain-marie "
    "tiède lui rend sa souplesse sans abîmer son parfum."
)
_SWEET = (
    "Dans un placard, au sec et à l'abri de la lumière. Une fois ouvert, refermez bien et finissez dans le "
    "mois."
)
_BOTTLE = (
    "Debout, à l'abri de la lumière et de la chaleur. Une fois ouverte, la bouteille se garde une petite "
    "semaine au réfrigérateur."
)
_FIZZY = "Debout, au frais et à l'ombre ; le dépôt au fond est naturel. Ouverte, la bouteille se boit le jour même."
_HERB = (
    "Dans une boîte fermée, au sec et à l'ombre, les plantes gardent leur parfum un an. Comptez une pincée par "
    "tasse, couvrez pendant l'infusion."
)

_FLOUR = Good("farine-de-ble-t80", "Farine de blé T80", "kg", 290, "flour", _DRY)

FRUITS = (
    Article(
        slug="pommes-golden", name="Pommes Golden", category="fruits", supplier=ORCHARD,
        product=Good("pommes-golden", "Pommes Golden", "kg", 290, "apple", _FRUIT),
        sale_unit=WEIGHT, price=290, months=(9, 4), label=Label.ORGANIC,
        variety="Golden Delicious, catégorie II",
        description="L'altitude leur met une joue rose. Quelques marques de grêle, c'est la catégorie II ; "
        "dessous, elles sont juteuses et sucrées.",
    ),
    Article(
        slug="pommes-reinettes-sac-de-3-kg", name="Reinettes du Canada, le sac", category="fruits",
        product=Good("pommes-reinettes", "Reinettes du Canada", "kg", 310, "apple", _FRUIT),
        supplier=ORCHARD, sale_unit=PACK, grams=3000, price=870, months=(10, 3),
        label=Label.ORGANIC, variety="Reinette grise du Canada, catégorie II", stock=26,
        description="La pomme des tartes et du four : elle confit sans se défaire. Rugueuse dehors, citronnée "
        "dedans.",
    ),
    Article(
        slug="poires-conference", name="Poires Conférence", category="fruits", supplier=ORCHARD,
        product=Good("poires-conference", "Poires Conférence", "kg", 360, "pear", _FRUIT),
        sale_unit=WEIGHT, price=360, months=(9, 2), label=Label.ORGANIC, variety="Conférence, catégorie II",
        description="Livrées encore fermes : deux ou trois jours dans la corbeille et elles fondent.",
    ),
    Article(
        slug="abricots", name="Abricots", category="fruits", supplier=ORCHARD,
        product=Good("abricots", "Abricots", "kg", 480, "apricot", _STONE_FRUIT), sale_unit=WEIGHT, price=480,
        months=(7, 8), label=Label.CONVERSION, variety="Orangé de Provence, catégorie II",
        description="Les arbres sont vieux, la conversion est jeune : ces abricots se cueillent à la main, "
        "quand ils tombent presque.",
    ),
    Article(
        slug="cerises", name="Cerises", category="fruits", supplier=ORCHARD,
        product=Good("cerises", "Cerises", "kg", 890, "cherry", _STONE_FRUIT), sale_unit=WEIGHT, price=890,
        months=(6, 6), label=Label.CONVERSION, variety="Burlat, catégorie I", per_delivery=10_000,
        description="Trois semaines par an, pas une de plus. Cueillies avec la queue, la veille de la "
        "livraison.",
    ),
    Article(
        slug="noix-filet-de-1-kg", name="Noix en coque, le filet", category="fruits", supplier=ORCHARD,
        product=Good("noix", "Noix en coque", "kg", 850, "walnut", _NUTS), sale_unit=PACK,
        grams=1000, price=850, months=(10, 4), label=Label.CONVERSION, variety="Franquette, catégorie I",
        perishable=False, allergens="noix (fruits à coque)", stock=18,
        description="Ramassées en octobre sous six grands noyers, séchées à l'air sur des claies.",
    ),
)  # fmt: skip

DAIRY_AND_EGGS = (
    Article(
        slug="oeufs-boite-de-6", name="Œufs de plein air, la boîte de 6", category="oeufs-et-cremerie",
        product=Good("oeufs-boite-de-6", "Œufs, boîtes de 6", "piece", 270, "eggs", _EGGS), supplier=DAIRY,
        sale_unit=PACK, price=270, label=Label.ORGANIC, allergens="œufs",
        per_delivery=40,
        description="Des poules élevées en plein air, sous les pruniers. La date de ponte est écrite sur la "
        "boîte : cinq jours au plus avant la livraison.",
    ),
    Article(
        slug="oeufs-boite-de-12", name="Œufs de plein air, la boîte de 12", category="oeufs-et-cremerie",
        product=Good("oeufs-boite-de-12", "Œufs, boîtes de 12", "piece", 520, "eggs", _EGGS), supplier=DAIRY,
        sale_unit=PACK, price=520, label=Label.ORGANIC, allergens="œufs",
        per_delivery=15,
        description="Les mêmes œufs, pour les jours de crêpes. Poules élevées en plein air, date de ponte sur "
        "la boîte.",
    ),
    Article(
        slug="chevre-frais", name="Chèvre frais", category="oeufs-et-cremerie", supplier=DAIRY,
        product=Good("chevre-frais", "Chèvre frais", "piece", 260, "goat-cheese", _FRESH),
        sale_unit=PIECE, grams=120, price=260, months=(3, 11), per_delivery=24,
        ingredients="LAIT cru de chèvre, sel, ferments lactiques, présure.", allergens="lait",
        description="Au lait cru, moulé à la louche l'avant-veille. Les chèvres se reposent l'hiver : pas de "
        "fromage frais de décembre à février.",
    ),
    Article(
        slug="chevre-affine", name="Chèvre affiné", category="oeufs-et-cremerie", supplier=DAIRY,
        product=Good("chevre-affine", "Chèvre affiné", "piece", 320, "goat-cheese", _CHEESE),
        sale_unit=PIECE, grams=90, price=320, per_delivery=20,
        ingredients="LAIT cru de chèvre, sel, ferments lactiques, présure.", allergens="lait",
        description="Au lait cru, trois semaines de cave. Une croûte ridée, un cœur qui commence à couler.",
    ),
    Article(
        slug="tomme-de-vache", name="Tomme de vache", category="oeufs-et-cremerie", supplier=DAIRY,
        product=Good("tomme-de-vache", "Tomme de vache", "kg", 2390, "cheese", _CHEESE),
        sale_unit=WEIGHT, price=2390, label=Label.ORGANIC, per_delivery=6_000, former_price=2290,
        ingredients="LAIT cru de vache*, sel, ferments lactiques, présure. *Issu de l'agriculture "
        "biologique.",
        allergens="lait",
        description="Au lait cru, quatre mois de cave, coupée à la demande. Le morceau est pesé à la "
        "préparation de votre commande.",
    ),
    Article(
        slug="yaourts-nature", name="Yaourts nature, les quatre", category="oeufs-et-cremerie",
        product=Good("yaourts-nature", "Yaourts nature, par quatre", "piece", 360, "yoghurt", _FRESH),
        supplier=DAIRY, sale_unit=PACK, grams=500, price=360, label=Label.ORGANIC,
        ingredients="LAIT entier de vache pasteurisé*, ferments lactiques. *Issu de l'agriculture "
        "biologique.",
        allergens="lait", per_delivery=30,
        description="Fermes, à peine acides, avec leur fine couche de crème. Les pots en verre se rapportent.",
    ),
    Article(
        slug="yaourt-au-miel", name="Yaourt brassé au miel", category="oeufs-et-cremerie", supplier=DAIRY,
        product=Good("yaourt-au-miel", "Yaourt brassé au miel", "piece", 390, "yoghurt", _FRESH),
        sale_unit=JAR, grams=450, price=390, per_delivery=12,
        ingredients="LAIT entier de vache pasteurisé, miel de montagne (8 %), ferments lactiques.",
        allergens="lait",
        description="Le lait de Trescléoux et le miel de Méreuil dans un grand pot, pour le goûter de quatre "
        "personnes.",
    ),
    Article(
        slug="beurre-de-baratte", name="Beurre de baratte", category="oeufs-et-cremerie", supplier=DAIRY,
        product=Good("beurre-de-baratte", "Beurre de baratte", "piece", 480, "butter", _BUTTER),
        sale_unit=PACK, grams=250, price=480, label=Label.ORGANIC, per_delivery=16,
        ingredients="CRÈME de vache* (LAIT), ferments lactiques, sel (1,5 %). *Issue de l'agriculture "
        "biologique.",
        allergens="lait", not_on=("mardi",),
        description="Jaune l'été, plus pâle l'hiver, selon ce que les vaches broutent. Demi-sel.",
    ),
)  # fmt: skip

BREAD_AND_FLOUR = (
    Article(
        slug="pain-de-campagne", name="Pain de campagne au levain", category="pains-et-farines",
        product=Good("pain-de-campagne", "Pain de campagne", "piece", 620, "bread", _LOAF), supplier=BAKERY,
        sale_unit=PIECE, grams=1000, price=620, label=Label.ORGANIC, per_delivery=30,
        ingredients="Farine de BLÉ T80*, eau, levain de SEIGLE*, sel. *Issus de l'agriculture biologique.",
        allergens="blé, seigle (gluten)", lead_days=4, not_on=("vendredi",), former_price=590,
        description="Douze heures de pousse, une heure de four à bois. Le boulanger pétrit selon vos "
        "commandes, c'est pourquoi il les ferme plus tôt.",
    ),
    Article(
        slug="pain-aux-graines", name="Pain aux graines", category="pains-et-farines", supplier=BAKERY,
        product=Good("pain-aux-graines", "Pain aux graines", "piece", 450, "bread", _LOAF),
        sale_unit=PIECE, grams=500, price=450, label=Label.ORGANIC, per_delivery=24, lead_days=4,
        ingredients="Farine de BLÉ T80*, eau, graines (tournesol*, lin*, SÉSAME*, 14 %), levain de SEIGLE*, "
        "sel. *Issus de l'agriculture biologique.",
        allergens="blé, seigle (gluten), sésame", not_on=("vendredi",),
        description="Les graines sont torréfiées puis trempées une nuit, la mie en reste humide trois jours.",
    ),
    Article(
        slug="pain-de-petit-epeautre", name="Pain de petit épeautre", category="pains-et-farines",
        product=Good("pain-de-petit-epeautre", "Pain de petit épeautre", "piece", 590, "bread", _LOAF),
        supplier=BAKERY, sale_unit=PIECE, grams=500, price=590, label=Label.ORGANIC,
        ingredients="Farine de petit ÉPEAUTRE* (BLÉ), eau, levain de petit ÉPEAUTRE* (BLÉ), sel. *Issus de "
        "l'agriculture biologique.",
        allergens="petit épeautre (blé, gluten)", per_delivery=14, lead_days=4, not_on=("vendredi",),
        description="Cuit en moule, dense et doré, au goût de noisette. Il contient du gluten, moins élastique "
        "que celui du blé tendre.",
    ),
    Article(
        slug="brioche-au-beurre", name="Brioche au beurre", category="pains-et-farines", supplier=BAKERY,
        product=Good("brioche-au-beurre", "Brioche au beurre", "piece", 640, "brioche", _LOAF),
        sale_unit=PIECE, grams=400, price=640, per_delivery=10, lead_days=4,
        ingredients="Farine de BLÉ T65, ŒUFS, BEURRE (LAIT, 18 %), LAIT, sucre, levain de BLÉ, sel.",
        allergens="blé (gluten), œufs, lait", not_on=("vendredi",),
        description="Tressée à six brins, avec les œufs et le beurre de Trescléoux. Le "
        "fournil en cuit peu, elle part vite.",
    ),
    Article(
        slug="farine-de-ble-t80-1-kg", name="Farine de blé T80", category="pains-et-farines",
        product=_FLOUR, supplier=BAKERY, sale_unit=PACK, grams=1000, price=290,
        label=Label.ORGANIC, perishable=False, allergens="blé (gluten)", ingredients="BLÉ tendre*. *Issu de "
        "l'agriculture biologique.",
        description="Moulue sur meule de pierre la semaine de la livraison. Bise, parfumée, bonne pour le pain "
        "comme pour les crêpes.",
    ),
    Article(
        slug="farine-de-ble-t80-5-kg", name="Farine de blé T80, le grand sac", category="pains-et-farines",
        product=_FLOUR, supplier=BAKERY, sale_unit=PACK, grams=5000, price=1250,
        label=Label.ORGANIC, perishable=False, allergens="blé (gluten)", stock=22,
        ingredients="BLÉ tendre*. *Issu de l'agriculture biologique.",
        description="Pour qui pétrit toutes les semaines : huit pains d'un kilo, environ.",
    ),
    Article(
        slug="farine-de-petit-epeautre", name="Farine de petit épeautre", category="pains-et-farines",
        product=Good("farine-de-petit-epeautre", "Farine de petit épeautre", "kg", 620, "flour", _DRY),
        supplier=BAKERY, sale_unit=PACK, grams=1000, price=620, label=Label.CONVERSION,
        ingredients="Petit ÉPEAUTRE (BLÉ).", allergens="petit épeautre (blé, gluten)", perishable=False,
        stock=19,
        description="Une céréale d'altitude, peu gourmande en eau, qui donne des biscuits sablés et des "
        "pâtes à tarte dorées.",
    ),
    Article(
        slug="lentilles-vertes", name="Lentilles vertes", category="pains-et-farines", supplier=BAKERY,
        product=Good("lentilles-vertes", "Lentilles vertes", "kg", 760, "lentils", _DRY),
        sale_unit=PACK, grams=500, price=380, label=Label.ORGANIC, perishable=False, stock=47,
        variety="Anicia",
        description="Triées deux fois, elles cuisent en vingt-cinq minutes sans trempage et gardent leur "
        "forme.",
    ),
)  # fmt: skip

SWEETS = (
    Article(
        slug="miel-de-lavande", name="Miel de lavande", category="miel-et-douceurs", supplier=APIARY,
        product=Good("miel-de-lavande", "Miel de lavande", "piece", 1190, "honey", _HONEY),
        sale_unit=JAR, grams=500, price=1190, perishable=False, stock=38,
        description="Les ruches montent en juillet sur les champs de lavande de la vallée de l'Oule. Un miel "
        "clair, qui cristallise fin.",
    ),
    Article(
        slug="miel-de-montagne", name="Miel de montagne", category="miel-et-douceurs", supplier=APIARY,
        product=Good("miel-de-montagne", "Miel de montagne", "piece", 980, "honey", _HONEY),
        sale_unit=JAR, grams=500, price=980, perishable=False, stock=52,
        description="Sainfoin, framboisier sauvage et thym, récoltés à 1 200 mètres. Ambré, long en bouche.",
    ),
    Article(
        slug="confiture-d-abricot", name="Confiture d'abricot", category="miel-et-douceurs",
        product=Good("confiture-d-abricot", "Confiture d'abricot", "piece", 580, "jam", _SWEET),
        supplier=ORCHARD, sale_unit=JAR, grams=320, price=580, perishable=False, stock=29,
        ingredients="Abricots (62 %), sucre de canne, jus de citron. Préparée avec 62 g de fruits pour 100 g. "
        "Teneur totale en sucres : 55 g pour 100 g.",
        description="Cuite au chaudron par dix kilos, avec la peau et de gros morceaux : elle tient sur la tartine.",
    ),
    Article(
        slug="gelee-de-coing", name="Gelée de coing", category="miel-et-douceurs", supplier=ORCHARD,
        product=Good("gelee-de-coing", "Gelée de coing", "piece", 490, "jam", _SWEET),
        sale_unit=JAR, grams=220, price=490, perishable=False, stock=3,
        ingredients="Jus de coing, sucre de canne, jus de citron. Préparée avec 50 g de fruits pour 100 g. "
        "Teneur totale en sucres : 58 g pour 100 g.",
        description="Rose et transparente, sans gélifiant : le coing a tout ce qu'il faut. Très bonne avec la "
        "tomme.",
    ),
    Article(
        slug="nougat-au-miel", name="Nougat blanc au miel", category="miel-et-douceurs", supplier=APIARY,
        product=Good("nougat-au-miel", "Nougat blanc au miel", "piece", 690, "nougat", _SWEET),
        sale_unit=PACK, grams=150, price=690, vat=STANDARD, perishable=False, stock=2,
        ingredients="AMANDES (38 %), miel de lavande (30 %), sucre, blanc d'ŒUF, feuille de pain azyme "
        "(fécule de pomme de terre).",
        allergens="amandes (fruits à coque), œufs",
        description="Tendre, coupé en barres au couteau. L'apiculteur n'en fait qu'en novembre et en avril.",
    ),
    Article(
        slug="pate-de-coing", name="Pâte de coing", category="miel-et-douceurs", supplier=ORCHARD,
        product=Good("pate-de-coing", "Pâte de coing", "piece", 540, "quince-paste", _SWEET),
        sale_unit=PACK, grams=200, price=540, vat=STANDARD, perishable=False, stock=14,
        ingredients="Pulpe de coing (55 %), sucre de canne, jus de citron.",
        description="Séchée une semaine sur des claies, coupée en losanges, roulée dans le sucre.",
    ),
    Article(
        slug="pommes-sechees", name="Pommes séchées", category="miel-et-douceurs", supplier=ORCHARD,
        product=Good("pommes-sechees", "Pommes séchées", "piece", 430, "dried-apple", _DRY),
        sale_unit=PACK, grams=100, price=430, label=Label.ORGANIC, perishable=False, stock=33,
        ingredients="Pommes*. *Issues de l'agriculture biologique.",
        description="Un kilo de pommes tient dans ce sachet. Rien d'ajouté, pas même du citron : elles sont "
        "donc un peu brunes.",
    ),
)  # fmt: skip

LARDER = (
    Article(
        slug="huile-de-tournesol", name="Huile vierge de tournesol", category="conserves-et-huiles",
        product=Good("huile-de-tournesol", "Huile de tournesol", "piece", 640, "oil", _BOTTLE),
        supplier=BAKERY, sale_unit=PIECE, millilitres=500, price=640,
        label=Label.ORGANIC, perishable=False, stock=24,
        description="Première pression à froid, un goût net de graine. Pour les salades, ou une poêle pas "
        "trop chaude.",
    ),
    Article(
        slug="tartinade-de-pois-chiches", name="Tartinade de pois chiches", category="conserves-et-huiles",
        product=Good("tartinade-de-pois-chiches", "Tartinade de pois chiches", "piece", 470, "jar", _SWEET),
        supplier=BAKERY, sale_unit=JAR, grams=180, price=470, label=Label.ORGANIC,
        ingredients="Pois chiches* (64 %), huile de tournesol*, purée de SÉSAME*, jus de citron*, ail*, "
        "cumin*, sel. *Issus de l'agriculture biologique.",
        allergens="sésame", perishable=False, stock=5,
        description="Les pois chiches du moulin, mixés avec leur eau de cuisson. Sur du pain grillé, ou avec "
        "des bâtonnets de carotte.",
    ),
)  # fmt: skip

DRINKS = (
    Article(
        slug="jus-de-pomme", name="Jus de pomme", category="jus-et-boissons", supplier=ORCHARD,
        product=Good("jus-de-pomme", "Jus de pomme, 1 litre", "piece", 350, "juice", _BOTTLE),
        sale_unit=PIECE, millilitres=1000, price=350, label=Label.ORGANIC, perishable=False, stock=140,
        ingredients="Pommes pressées*. *Issues de l'agriculture biologique.", former_price=330,
        description="Golden et Reinette à parts égales, pressées à froid, trouble comme il se doit.",
    ),
    Article(
        slug="jus-de-pomme-3-litres", name="Jus de pomme, l'outre de 3 litres", category="jus-et-boissons",
        product=Good("jus-de-pomme-3-litres", "Jus de pomme, 3 litres", "piece", 960, "juice", _BOTTLE),
        supplier=ORCHARD, sale_unit=PIECE, millilitres=3000, price=960, label=Label.ORGANIC,
        ingredients="Pommes pressées*. *Issues de l'agriculture biologique.", perishable=False, stock=28,
        description="Le même jus, dans une poche à robinet qui se garde deux mois une fois entamée.",
    ),
    Article(
        slug="jus-de-poire", name="Jus de poire", category="jus-et-boissons", supplier=ORCHARD,
        product=Good("jus-de-poire", "Jus de poire", "piece", 390, "juice", _BOTTLE),
        sale_unit=PIECE, millilitres=1000, price=390, label=Label.ORGANIC, perishable=False, stock=0,
        ingredients="Poires pressées*. *Issues de l'agriculture biologique.",
        description="Épais et doux, à couper d'eau fraîche l'été. Le prochain pressage suit la récolte de "
        "septembre.",
    ),
    Article(
        slug="sirop-de-melisse", name="Sirop de mélisse", category="jus-et-boissons", supplier=HERBS,
        product=Good("sirop-de-melisse", "Sirop de mélisse", "piece", 690, "syrup", _BOTTLE),
        sale_unit=PIECE, millilitres=500, price=690, label=Label.ORGANIC, perishable=False, stock=21,
        ingredients="Sucre de canne*, infusion de mélisse* (38 %), jus de citron*. *Issus de l'agriculture "
        "biologique.",
        description="Des feuilles cueillies avant la fleur, infusées une nuit. Une dose pour sept d'eau "
        "fraîche.",
    ),
    Article(
        slug="biere-blonde", name="Bière blonde du Torrent", category="jus-et-boissons", supplier=BREWERY,
        product=Good("biere-blonde", "Bière blonde", "piece", 650, "beer", _FIZZY),
        sale_unit=PIECE, millilitres=750, price=650, vat=STANDARD, alcohol=True, perishable=False, stock=60,
        ingredients="Eau, malt d'ORGE, malt de BLÉ, houblon, levure.", allergens="orge, blé (gluten)",
        description="5 % vol. Brassée à l'eau du torrent, refermentée en bouteille, légère et florale.",
    ),
    Article(
        slug="cidre-brut", name="Cidre brut", category="jus-et-boissons", supplier=BREWERY,
        product=Good("cidre-brut", "Cidre brut", "piece", 540, "beer", _FIZZY), sale_unit=PIECE,
        millilitres=750, price=540, vat=STANDARD, alcohol=True, perishable=False, stock=35,
        not_on=("vendredi",),
        ingredients="Jus de pomme fermenté, SULFITES.", allergens="sulfites",
        description="4,5 % vol. Les pommes de Lazer, six mois de cuve, une bulle fine.",
    ),
)  # fmt: skip

DRIED_HERBS = (
    Article(
        slug="tisane-verveine-menthe", name="Tisane verveine et menthe", category="tisanes-et-plants",
        product=Good("tisane-verveine-menthe", "Tisane verveine et menthe", "piece", 590, "herb-tea", _HERB),
        supplier=HERBS, sale_unit=PACK, grams=30, price=590, label=Label.ORGANIC,
        ingredients="Verveine citronnée* (60 %), menthe poivrée* (40 %). *Issues de l'agriculture "
        "biologique.",
        perishable=False, stock=25,
        description="Cueillie en fleur, séchée à l'ombre sous les toits. Fraîche, citronnée, pour après le "
        "repas.",
    ),
    Article(
        slug="thym-seche", name="Thym séché", category="tisanes-et-plants", supplier=HERBS,
        product=Good("thym-seche", "Thym séché", "piece", 380, "herb", _HERB), sale_unit=PACK, grams=30,
        price=380, label=Label.CONVERSION, ingredients="Thym.", perishable=False, stock=40,
        description="Le thym des pentes au-dessus de l'Eygues, émondé à la main. Une branche suffit à un plat.",
    ),
)  # fmt: skip
