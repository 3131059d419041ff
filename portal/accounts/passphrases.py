"""A passphrase for who has no idea: seven of 256 words, nearly 56 random bits, none that needs an accent."""

from secrets import SystemRandom

_WORDS = """
    abeille abricot acacia agneau aiguille airelle alouette amande ancolie aneth anis arbre ardoise argile
    arrosoir asperge aster aubergine aurore autruche averse avoine bambou barque basilic bassin belette
    betterave biche blaireau blette bosquet botte bouleau bourdon bourgeon branche brebis brioche brocoli
    brouette brume buisson buse cabane cactus cagette caillou calepin campagne canal carafe cardon carnet
    cascade cassis castor cerfeuil cerise chalet chamois champ chardon charrue chouette ciboule cidre
    cigale citron clairon cloche clocher colline colombe compost confiture coquelicot corbeau corniche
    coucou courge cresson crocus cueillette cuivre cumin cymbale dahlia daim dindon dolmen donjon douve
    endive escargot estragon fagot faisan falaise fanfare farine faucon fenouil feuillage feuille figue
    flocon fontaine forge foulard fourche fourmi fraise framboise frelon fromage furet galette garrigue
    gazelle gingembre girafe girolle girouette glacier gland glycine goutte grange grelot grenier grillon
    griotte groseille grotte guirlande hamac hameau haricot hibou hirondelle horloge houx hutte iris jardin
    jasmin jonc jonquille ketmie lagune laitue lampion laurier lavande lentille levain libellule lierre
    lilas limace linotte loutre lucarne lupin luzerne marmite marmotte marron mauve merle miel mimosa
    mirabelle moineau mouette moulin mousse mouton mulot muraille muscade myrtille narcisse navet nectar
    noisette noyau nuage oignon olive orage ortie osier ourson paille panais papillon parasol parcelle
    pastel pavot peluche perdrix persil phare pinson pivoine platane plume poireau poivron pommier potager
    potiron poulain prairie prune pruneau quenouille radis raisin renard rhubarbe robinier roche romarin
    roseau ruche ruisseau safran salade sapin sarrasin sauge semis sentier serre sillon sorbier sureau
    tamis tartine tilleul tisane tomate tortue tournesol treille truite tulipe vallon verger vigne violette
    volcan
"""
WORDS = _WORDS.split()


def draw() -> str:
    return " ".join(SystemRandom().sample(WORDS, 7))
