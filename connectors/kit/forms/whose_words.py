"""Words for those who are not the client: our own people and places, and third persons that a client names. Tables only."""

from __future__ import annotations

from connectors.kit.forms.vocabulary import OURS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Never the one who asks, even where nobody else is named: one office's phone would make one person of all its clients.
THEIRS = OURS | _words(
    # ours: people
    "managers operators employees assignees organizers organisers merchants agent agents salesperson salesrep salesman rep"
    " closer setter host hosts cohost dealer vendor supplier provider advisor adviser consultant broker realtor supervisor administrator admin"
    " webmaster courier rider specialist therapist stylist barber instructor trainer coach clinician practitioner doctor creator createdby"
    " менеджеры менеджеру сотрудника сотрудники сотруднику ответственного исполнитель исполнителя продавец продавца продавцы агент агента агенты"
    " риелтор риелтора риэлтор риэлтора брокер консультант консультанта администратор администратора админ куратор куратора курьер курьера мастер"
    " мастера тренер тренера врач врача специалист специалиста оператора организатор организатора поставщик дилер владелецформы"
    # ours: places and accounts
    " location locations office offices branch branches store stores shop shops salon salons clinic clinics restaurant warehouse showroom"
    " dealership franchise franchisee subaccount workspace calendar memberships membership support helpdesk notification notifications"
    " офис офиса филиал филиала филиалы магазин магазина магазины салон салона отделение отделения склад склада точка пвз подразделение"
    " подразделения представительство клиника клиники"
    # third persons
    " friend friends buddy referral referrals referred referrer referee recipient recipients addressee colleague colleagues neighbour neighbor"
    " spouse husband wife emergency guarantor beneficiary witness employer landlord attendees guests companions receiver"
    " coapplicant consignee giftee reference references"
    " друг друга другу подруга подруги друзья друзей получатель получателя получатели коллега коллеги сосед соседа супруг супруга супруги"
    " поручитель поручителя созаемщик созаёмщик работодатель работодателя рекомендатель гости"
    # de fr es pt it pl tr uk cs nl uz kk
    " verkäufer verkaeufer filiale standort berater makler freund freundin freundes empfänger empfaenger gastgeber büro buero niederlassung"
    " mitarbeiter händler vendeur vendeuse agence magasin conseiller conseillère ami amie destinataire hôte hote succursale bureau"
    " vendedor vendedora sucursal tienda asesor asesora agente amigo amiga destinatario destinatária destinatário anfitrión anfitriao gerente"
    " responsable responsavel responsável oficina escritório escritorio loja filial corretor venditore negozio amico amica responsabile ufficio"
    " sprzedawca oddział oddzial sklep opiekun doradca handlowiec znajomy znajomego odbiorca biuro kierownik agenta"
    " yönetici yonetici satıcı satici mağaza magaza şube sube temsilci temsilcisi arkadaş arkadas arkadaşın alıcı alici danışman ofis"
    " продавець філія магазину друг отримувач одержувач відповідальний керівник prodejce pobočka pobocka přítel pritel příjemce prijemce"
    " verkoper vriend ontvanger vestiging kantoor winkel menejer sotuvchi dost qabulqiluvchi дос қабылдаушы дүкен жауапты"
)  # fmt: skip

#: Somebody else where the client is named too; the client himself where nobody else is: a hotel's guest, a pet's owner, who sells a
#: car, whom to deliver to.
MAYBE_THEIRS = _words(
    "guest owner seller shipping delivery ship deliver partner гость гостя владелец владельца доставка"
    " доставки invitado invité convidado ospite gast gość misafir"
)
#: Beside "owner" they say whose owner it is: ours.
OF_OUR_OWN = _words("form account lead deal shop site contact record store page opportunity task calendar event hubspot crm workspace pipeline portal")

WHO_DID_IT = _words("created updated modified added invited handled taken recorded")

#: The same without blanks between words.
WITHIN = ("收货人", "收件人", "推荐人", "朋友", "销售员", "门店", "负责人", "客服", "friendemail", "friendphone", "friendname", "manageremail", "managerphone")
