"""The demo farm's conditions of sale; a line that begins with « # » is a heading.

They say what the Code de la consommation wants said before an order: L221-5 (withdrawal, payment), L221-28
(perishable goods), L616-1 (mediator), L217-3 and the Code civil's article 1641 (guarantees).
"""

CONDITIONS = """\
# Qui vend

Les Jardins de la Blaisance, association régie par la loi de 1901, 120 chemin des Iscles, Lagrand, \
05300 Garde-Colombe. Téléphone : 04 65 71 20 35. Adresse électronique : bonjour@example.org.

Ces conditions s'appliquent à tout ce que vous commandez sur ce site : les paniers en abonnement et les \
produits de la boutique. La version qui vous engage est celle que vous avez acceptée ; elle est jointe au mail \
de confirmation.

# Les paniers

Un panier contient ce que les champs donnent cette semaine-là. Sa composition est annoncée avant la livraison \
à titre de prévision ; elle change avec la météo et les récoltes. Un légume qui manque est remplacé par un \
autre de même valeur, et la valeur du panier reste celle de la formule que vous avez choisie.

L'abonnement n'a pas de durée minimale. Depuis votre compte vous pouvez sauter une livraison, suspendre, changer \
de formule ou de point de retrait. Pour résilier, à tout moment, « Résilier votre contrat » est au bas de chaque \
page ; un mot à la ferme suffit aussi.

# Les produits de la boutique

Une commande de boutique voyage avec une livraison et se retire au même point. Les produits sont proposés dans \
la limite de ce qui reste. S'il en manque malgré tout, nous vous proposons un produit de même valeur ou nous \
retirons la ligne de votre commande ; vous ne payez que ce que vous recevez.

Un produit vendu au poids porte un prix au kilo et un prix estimé. Le prix dû est celui du poids réel, pesé à \
la préparation et indiqué sur votre commande.

L'origine, les ingrédients et les allergènes figurent sur la page de chaque produit, avant la commande. Les \
boissons alcoolisées ne sont pas vendues aux mineurs.

# Jusqu'à quand modifier ou annuler

La livraison du mardi se ferme le dimanche à 23 h 59, celle du jeudi le lundi à 23 h 59, celle du vendredi le \
mardi à 23 h 59. Jusque-là vous modifiez ou annulez librement, sans frais. Certains produits, comme le pain, se \
ferment plus tôt : leur page le dit.

Passé ce moment, les légumes sont récoltés et votre panier ou votre commande est préparé et dû, même s'il n'est \
pas retiré. Vous pouvez alors le faire retirer par quelqu'un d'autre.

# Commande et contrat

Votre commande est résumée avant d'être envoyée : produits, quantités, prix, livraison et point de retrait. Le \
bouton « Commander avec obligation de paiement » vous engage. Nous vous confirmons la commande par mail, puis \
nous l'acceptons ou, s'il manque un produit, nous la refusons en disant pourquoi. Sans réponse de notre part \
elle est acceptée à la fermeture de la livraison.

# Prix et paiement

Les prix sont en euros, toutes taxes comprises. Le retrait est gratuit. Le prix dû est celui qui s'affiche au \
moment où vous commandez ; pour les paniers, celui du jour de la livraison, et toute hausse vous est annoncée au \
moins un mois à l'avance.

Les abonnés reçoivent à la fin du mois la facture de ce qui leur a été livré. Ils la paient dans les quinze jours, \
par prélèvement s'ils ont signé un mandat, par virement, par chèque ou en espèces. Un prélèvement est annoncé \
quatorze jours avant, avec son montant. Les autres clients paient au point de retrait. Aucune carte n'est débitée \
sur ce site.

# Retrait

Les jours, heures et adresses de retrait sont indiqués avec votre livraison. En cas de jour férié ou \
d'intempéries la livraison peut être déplacée ; vous êtes prévenu par mail et vos choix sont conservés. Si nous \
annulons une livraison, elle n'est pas facturée.

# Droit de rétractation

Les produits qui se gardent, comme le miel, les confitures, les farines, les jus, les bocaux ou les tisanes, \
peuvent être rendus sans motif pendant quatorze jours à compter du lendemain du retrait. Utilisez « Renoncer au \
contrat ici », sur la page de votre commande ou au bas de chaque page, ou écrivez-nous. Un accusé de réception \
vous est envoyé aussitôt. Rapportez ensuite les produits, non ouverts, à votre point de retrait dans les \
quatorze jours. Nous remboursons leur prix au plus tard quatorze jours après votre déclaration, par le moyen \
de paiement que vous avez utilisé, et pouvons attendre pour cela que les produits nous soient revenus.

Ce droit ne s'applique pas aux produits qui peuvent se gâter ou se périmer rapidement : légumes et fruits frais, \
œufs, laitages, pain, fleurs et plants. La page de chaque produit le précise avant la commande. Pour un nouvel \
abonnement, vous avez quatorze jours pour renoncer aux paniers qui n'ont pas encore été livrés.

# Modèle de formulaire de rétractation

(À compléter et à nous renvoyer seulement si vous souhaitez vous rétracter du contrat.)

À l'attention des Jardins de la Blaisance, 120 chemin des Iscles, Lagrand, 05300 Garde-Colombe, \
bonjour@example.org : je vous notifie par la présente ma rétractation du contrat portant sur l'abonnement, ou sur \
les produits, ci-dessous.

Numéro de l'abonnement ou de la commande, et date :

Nom et adresse :

Date, et signature si ce formulaire est envoyé sur papier :

# Si quelque chose ne va pas

Un produit abîmé ou manquant, signalez-le dans les deux jours : nous le remplaçons ou ne le facturons pas. Vous \
bénéficiez en outre de la garantie légale de conformité (articles L217-3 et suivants du code de la consommation) \
et de la garantie des vices cachés (articles 1641 et suivants du code civil).

# Réclamation et médiation

Écrivez d'abord à bonjour@example.org ; nous répondons dans la semaine. Si notre réponse ne vous convient pas, \
vous pouvez saisir gratuitement le médiateur de la consommation : Médiation des Deux Vallées, 4 place du \
Tilleul, 05300 Laragne-Montéglin, https://mediation.example.org. Le droit français s'applique.

# Vos données

Votre nom, vos coordonnées et vos commandes servent à préparer, livrer et facturer. Ils ne sont ni vendus ni \
prêtés. Les factures sont conservées dix ans, comme la loi le demande ; le reste est effacé quand il ne sert \
plus. La page « Confidentialité », au bas de chaque page, dit tout, vos droits compris ; si vous estimez qu'ils ne \
sont pas respectés, vous pouvez saisir la CNIL.
"""
