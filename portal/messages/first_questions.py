"""What is asked of every farm of this kind, until a farm writes its own: heading, question, answer."""

from portal.web.i18n import french

_QUESTIONS = {
    "Les paniers": (
        (
            "Qu'y aura-t-il dans mon prochain panier ?",
            "Ce que les champs donnent cette semaine-là. La composition prévue est dans « Planning » quelques jours "
            "avant la livraison. Elle peut changer avec la météo ; un légume qui manque est remplacé par un autre de "
            "même valeur.",
        ),
        (
            "Puis-je choisir mes légumes ou en refuser un ?",
            "Le panier est le même pour tout le monde : c'est ce qui permet de tout récolter et de ne rien jeter. "
            "Pour compléter, la boutique vend des légumes au détail, livrés avec le panier.",
        ),
        (
            "Quelle formule choisir ?",
            "La page « Nos formules » dit pour combien de personnes chacune est faite. Vous pouvez en changer quand "
            "vous voulez : commencez petit.",
        ),
        (
            "Comment garder mes légumes ?",
            "Chaque composition donne, légume par légume, la meilleure façon de le garder.",
        ),
    ),
    "Sauter, suspendre, changer": (
        (
            "Je pars une semaine : que faire ?",
            "Dans « Planning », appuyez sur « Sauter » sous la date. Un panier sauté n'est pas facturé, et les "
            "livraisons reprennent toutes seules. Vous pouvez le reprendre jusqu'à la clôture.",
        ),
        (
            "Et pour des vacances de plusieurs semaines ?",
            "« Planning », puis « Suspendre » : donnez le premier et le dernier jour. La page dit quelles livraisons "
            "sont sautées et laquelle est la première au retour.",
        ),
        (
            "Jusqu'à quand puis-je changer quelque chose ?",
            "Jusqu'à la clôture de votre livraison, écrite sur chaque date du planning. Après, les légumes sont "
            "récoltés : le panier est préparé et dû, même s'il n'est pas retiré.",
        ),
        (
            "La clôture est passée et je ne peux pas venir.",
            "Demandez à quelqu'un de retirer votre panier à votre place : dites-lui votre nom et le point de retrait. "
            "La page de la livraison dit ce qui est encore possible.",
        ),
        (
            "Comment changer de formule ou de point de retrait ?",
            "« Mon compte », « Abonnements », puis « Modifier ». La page montre vos prochaines dates avant et après. "
            "Pour une seule fois, ouvrez la semaine dans « Planning ».",
        ),
        (
            "Comment arrêter ou résilier mon abonnement ?",
            "En ligne, quand vous voulez et sans donner de raison : « Résilier votre contrat », en bas de chaque "
            "page. Vous recevez aussitôt un mail qui dit la date de fin et ce qui est encore livré.",
        ),
    ),
    "Le retrait": (
        (
            "Où et quand retirer mon panier ?",
            "L'adresse, le jour et les heures sont sur votre page d'accueil et dans « Planning ». La carte des points "
            "de retrait les montre tous.",
        ),
        (
            "Quelqu'un peut-il le prendre à ma place ?",
            "Oui. Il suffit de dire votre nom ; la liste du point de retrait fait foi.",
        ),
        (
            "Mon panier n'était pas là, ou un légume était abîmé.",
            "Écrivez-nous dans les deux jours, avec une photo si vous pouvez. Nous remplaçons, ou nous ne facturons "
            "pas.",
        ),
        (
            "Que se passe-t-il un jour férié ?",
            "La livraison peut être déplacée ou annulée. Vous êtes prévenu par mail et « Planning » montre la "
            "nouvelle date ; ce qui est annulé n'est pas facturé.",
        ),
    ),
    "Payer": (
        (
            "Quand suis-je facturé ?",
            "À la fin du mois, pour ce qui vous a été livré. Les paniers sautés n'y sont pas.",
        ),
        (
            "Comment payer ?",
            "Par prélèvement, virement, chèque ou espèces, selon ce que nous proposons. « Mes règlements », dans "
            "« Mon compte », dit ce que vous devez, jusqu'à quand, et ce qu'il faut écrire sur un virement.",
        ),
        (
            "Quand suis-je prélevé ?",
            "Votre facture dit le montant et le jour, deux semaines à l'avance. Le mandat se signe et se retire dans "
            "« Mon compte », « Coordonnées bancaires ».",
        ),
        (
            "Que se passe-t-il si un prélèvement est rejeté ?",
            "Vous recevez un mail qui dit pourquoi et ce qui suit : nous le présentons une seconde fois, ou vous payez "
            "autrement.",
        ),
        (
            "Où sont mes factures ?",
            "Dans « Mon compte », « Factures », mois par mois, avec leur PDF. Si vous n'en voyez pas une, écrivez-nous "
            "avec le mois concerné.",
        ),
    ),
    "Se connecter": (
        (
            "J'ai oublié ou perdu mon mot de passe.",
            "Sur « Connexion », choisissez « Mot de passe oublié » et donnez votre adresse e-mail. Le lien que vous "
            "recevez vaut deux jours et sert une seule fois ; le dernier demandé est le bon.",
        ),
        (
            "Le mail n'arrive pas.",
            "Il part dans la minute, mais certaines messageries le retiennent un quart d'heure. Regardez dans les "
            "indésirables et les promotions, et ajoutez notre adresse à vos contacts. Vérifiez l'adresse que vous avez "
            "tapée : une lettre de travers, « .con » pour « .fr », et il part ailleurs. Pour ne renseigner personne, "
            "la page répond pareil que l'adresse soit connue ou non : essayez aussi vos autres adresses.",
        ),
        (
            "Le lien ou le code ne marche plus.",
            "Un lien vaut deux jours, un code quinze minutes, et chacun sert une fois. Demandez-en un autre : le "
            "précédent s'éteint alors. Ouvrez le lien en entier ; certaines messageries le coupent.",
        ),
        (
            "Je ne sais plus avec quelle adresse je me suis inscrit.",
            "Cherchez un mail de la ferme dans vos boîtes : c'est l'adresse qui l'a reçu. Sinon écrivez-nous, avec "
            "votre nom et votre téléphone ou votre numéro de client.",
        ),
        (
            "Mon adresse e-mail a changé.",
            "Si vous pouvez encore vous connecter, changez-la dans « Mon compte ». Sinon écrivez-nous.",
        ),
    ),
    "Mes données": (
        (
            "Que faites-vous de mes données ?",
            "Elles servent à préparer, livrer et facturer. Elles ne sont ni vendues ni prêtées. La page "
            "« Confidentialité », au bas de chaque page, dit tout : quoi, pourquoi, combien de temps.",
        ),
        (
            "Comment fermer mon compte ?",
            "Par « Nous écrire », sujet « Suppression de compte », ou dans « Mon compte ». Les factures sont gardées "
            "dix ans, comme la loi le veut ; le reste est effacé.",
        ),
    ),
}
FIRST_QUESTIONS = [
    (heading, french(asked), french(answer))
    for heading, asked_below in _QUESTIONS.items()
    for asked, answer in asked_below
]
