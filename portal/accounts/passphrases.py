"""A passphrase for who has no idea: seven of 256 words, nearly 56 random bits, no accents to miss."""

from secrets import SystemRandom

_WORDS = """
    abeille abricot acacia agneau aiguille airelle alouette amande ancolie aneth anis arbre ardoise argile
    arrosoir asperge aster aubergine aurore autruche averse avoine bambou barque basilic bassin belette
    betterave biche blaireau blette bosquet botte bouleau bourdon bourgeon branche brebis brioche brocoli
    brouette brume bruyere buisson buse cabane cactus cagette caillou calepin campagne canal carafe cardon
    carnet cascade cassis castor cerfeuil cerise chalet chamois champ charrue chevre chicoree chouette
    ciboule cidre cigale citron clairon cloche colline colombe comete compost confiture coquelicot corbeau
    corniche cresson crocus cueillette cuivre cumin cymbale dahlia daim dindon dolmen donjon douve ecluse
    ecorce ecureuil eglantier endive epeautre epi etable etang fagot faisan falaise fanfare farine faucon
    fenouil feuillage figue flocon fontaine forge fougere foulard fourche framboise frelon fromage furet
    galette garrigue gazelle genet geranium gingembre girolle glacier gland glycine goutte grange grelot
    grenier griotte groseille grotte guirlande hamac hameau haricot herisson hetre hibou houx hutte iris
    jasmin jonc jonquille ketmie lagune laitue lavande levain lezard libellule lierre lilas limace linotte
    loutre lucarne lupin luzerne marmite marmotte marron mauve melisse merle mesange miel mimosa moineau
    mouette moulin mousse mulot muraille muscade myrtille narcisse navet nectar noisette noyau nuage
    oignon olive orage ortie osier ourson paille panais papillon parasol parcelle pastel pruneau pavot
    peche peluche perdrix persil phare pinson pivoine platane plume poireau pommier potager poulain
    prairie prune quenouille radis raisin rateau renard rhubarbe robinier riviere roche romarin roseau
    rosee ruche ruisseau safran sapin sarrasin sauge semis serre sentier sillon sorbier sureau tamis
    tartine tilleul tisane tournesol treille trefle truite tulipe vallon verger vigne violette volcan
"""
WORDS = _WORDS.split()


def draw() -> str:
    return " ".join(SystemRandom().sample(WORDS, 7))
