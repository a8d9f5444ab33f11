"""The words by which forms of the world name their fields. Tables only; `roles` says how they are used.

Whole names are compared after case, accents of writing, separators and trailing digits are gone; stems begin a word.
"""

from __future__ import annotations

from connectors.kit.forms import languages


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Messengers by the names under which people's accounts are asked for, after separators and case are gone.
MESSENGERS = {
    "telegram": "telegram", "tg": "telegram", "телеграм": "telegram", "телеграмм": "telegram", "телега": "telegram",
    "telegramusername": "telegram", "telegramnick": "telegram", "tgusername": "telegram", "никвтелеграм": "telegram",
    "whatsapp": "whatsapp", "wa": "whatsapp", "whatsappnumber": "whatsapp", "ватсап": "whatsapp", "вотсап": "whatsapp",
    "вацап": "whatsapp", "whatsup": "whatsapp", "viber": "viber", "вайбер": "viber", "vk": "vk", "vkontakte": "vk",
    "вконтакте": "vk", "вк": "vk", "skype": "skype", "скайп": "skype", "instagram": "instagram", "инстаграм": "instagram",
    "wechat": "wechat", "微信": "wechat", "line": "line", "lineid": "line", "signal": "signal", "max": "max", "макс": "max",
}  # fmt: skip

#: Role of a whole name. Names that would fool a stem (form_name, username) stand here too, with their true role.
WHOLE: dict[str, frozenset[str]] = {
    "phone": _words(
        "เบอร์โทรศัพท์ เบอร์โทร โทรศัพท์ มือถือ เบอร์มือถือ เบอร์ติดต่อ 手机号码 联系电话 联系方式 聯絡電話 携帯電話 携帯番号 휴대폰 휴대전화 연락번호 رقمالجوال رقمالموبايل موبايل تلفون מספרטלפון טלפוןנייד נייד telefoonnummer mobiel telefonszám telefonnummer puhelin puhelinnumero telefonní telefonníčíslo telefonicislo telefón telefónnečíslo telefonas tālrunis σταθερό κινητό мобільний нөмір телефоннөмірі рақам sdt sốđiệnthoại điệnthoại nohp notelp telepon nomorhp nomortelepon telefonnum phoneno mobileno phonenum mob tlf tlfnr cellphone फोन "
        "phone tel telephone mobile cell phonenumber contactnumber contactphone msisdn homephone workphone "
        "телефон тел мобильный номер номертелефона моб сотовый телефондлясвязи telefon telefono teléfono telefone fone celular "
        "móvil movil handy téléphone numéro numérodetéléphone numer telefonnummer numerotelefono cellulare gsm телефонен "
        "τηλέφωνο 電話 電話番号 电话 电话号码 手机 手机号 전화 전화번호 연락처 טלפון נייד هاتف جوال الهاتف الجوال رقمالهاتف "
        "телефону номертелефону formphoneinput inputphonenumber"
    ),
    "email": _words(
        "emailadres emailadresse eposti epost sähköposti emailcím emailová poczta correoelectrónico mailadresse электронныйадрес электроннаяпочта адресэлектроннойпочты электрондықпошта електроннаадреса 電子郵件 電子信箱 电子邮箱 メアド 이메일주소 כתובתמייל כתובתאימייל מייל الايميل الإيميل ايميل pochta elpochta eadres epostadresi surel "
        "email mail emailaddress replyto useremail mailaddress emailid почта элпочта электроннаяпочта емейл имейл емэйл мейл "
        "емаил correo correoelectronico correoelectrónico courriel adressemail мейладрес メール メールアドレス 邮箱 电子邮件 "
        "이메일 דואל אימייל بريد البريدالإلكتروني eposta поштa електроннапошта"
    ),
    "name": _words(
        "navnet namnet numele ονοματεπώνυμό όνομά שמך שמךהמלא اسمكالكامل اسمكالثلاثي անունը imja "
        "naam volledigenaam jmeno jméno jménoapříjmení jmenoaprijmeni meno névteljesnév név teljesnév nume numecomplet numeprenume namn navn fuldenavn nimi ime imeprezime imeiprezime vornachname vornameundnachname vorundnachname namevorname imienazwisko ονομα ονοματεπώνυμο име вашетоиме аты атыжөні атыжөніңіз есім есіміңіз imya imia vashe_imya fio ism isim isimsoyisim 联系人 联系姓名 您的姓名 您的称呼 称呼 担当者名 ご氏名 성명 담당자 담당자명 اسمك الإسم nama namalengkap họtên họvàtên hoten नाम contactperson ansprechpartner nomeesobrenome nombreyapellidos nombreyapellido nomprenom prénometnom nometprenom nomecognome nomeecognome "
        "name fullname fio contactname personname clientname customername firstandlastname firstlastname имя фио вашеимя имяифамилия "
        "каквамобращаться каквасзовут каквасзвать какквамобращаться какквамобращатся обращение контактноелицо nombre nome "
        "nomecompleto nombrecompleto nom nomcomplet nomprénom prénom vollständigername imię imięinazwisko imienazwisko "
        "adsoyad ad isim 姓名 名前 氏名 お名前 이름 성함 שם שםמלא اسم الاسم الاسمالكامل імя імʼя пиб"
        " контрагентнаименование контрагент покупательнаименование покупательфио клиентнаименование клиентфио заказчикнаименование заказчикфио заказчик"
        " піб пібзамовника прізвищеімя атыңыз атыжөніңізді ismingiz imie ismfamiliya adınız adiniz"
    ),
    "first_name": _words("שםפרטי 名 given الاسمالأول voornaam keresztnév prenume förnamn fornavn etunimi krestnijmeno křestníjméno όνομα " "firstname fname forename givenname vorname prenom nombredepila firstnames"),
    "last_name": _words("שםמשפחה 姓 прізвище soyadınız soyadiniz اسمالعائلة familiyangiz familia achternaam prijmeni příjmení priezvisko vezetéknév efternavn etternavn efternamn sukunimi επώνυμο familiya familia прізвище тегі nomdefamille surnames soyad soyadı soyisim prenumele ազգանունը etternavnet efternamnet שםמשפחתך " "lastname lname surname familyname secondname фамилия nachname apellido apellidos sobrenome cognome nazwisko"),
    "middle_name": _words("middlename отчество patronymic"),
    "message": _words(
        "brief "
        "bericht uwbericht opmerking opmerkingen zpráva zprava správa poznámka poznamka üzenet megjegyzés tresc treść treśćwiadomości meddelande melding besked viesti poruka поръка съобщение μήνυμα хабарлама хабар soobshenie soobshchenie kommentariy kommentarij vopros otzyv 留言内容 内容 备注 咨询内容 需求 메시지 내용 ご質問 ご要望 内容詳細 رسالتك الموضوعوالرسالة תוכןהפנייה הערות pesan tinnhắn nộidung संदेश mesajınız mesajiniz open_text freetext content contents feedback yourfeedback anfrage ihreanfrage demande votredemande consulta solicitud pedido richiesta wiadomosc  "
        "message msg comment comments text question questions details body inquiry enquiry description note notes textarea request remark additionalinfo additionalinformation "
        "сообщение комментарий комментарии вопрос вашвопрос пожелания примечание текст опишитезадачу описание отзыв "
        "mensaje mensagem nachricht comentario comentarios commentaire bemerkung wiadomość messaggio mesaj повідомлення "
        "留言 コメント メッセージ نصالرسالة паведамленне паведамление お問い合わせ内容 문의 문의내용 הודעה رسالة الرسالة yourmessage"
        " запитання вашезапитання питання вашепитання побажання примітка сұрағыңыз сұрақ пікір xabaringiz xabar savol izoh trescwiadomosci pytanie uwagi anliegen mitteilung kommentar remarques précisions observaciones observações observacoes dúvida açıklama sorunuz ملاحظات استفسار الاستفسار תוכןההודעה 您的留言 需求描述 ご質問ご要望 ご相談内容 ご用件 備考 お問合せ内容 mesajul mesajuldumneavoastră întrebare observații сутьобращения текстобращения"
    ),
    "company": _words(
        "bedrijf bedrijfsnaam firmanavn företag yritys cég cégnév společnost spolocnost companie kompaniya nazwafirmy nombredelaempresa nomdelentreprise ragionesociale firmenname unternehmensname 公司名称 单位 单位名称 御社名 貴社名 회사명 שםהחברה اسمالشركة "
        "accountname orgname companyname company organization organisation business employer firm компания организация названиекомпании "
        "названиеорганизации фирма empresa entreprise société firma unternehmen azienda spółka 会社 会社名 公司 회사 חברה شركة"
    ),
    "title": _words("subject topic тема темаобращения темасообщения yoursubject asunto assunto betreff sujet oggetto temat"),
    "form_id": _words("formid formident"),
    "form_name": _words("formname formtitle nameform названиеформы имяформы"),
    "page_url": _words(
        "pageurl pageuri pagelocation url href location sourceurl requesturl formurl currenturl page landing landingpage "
        "landingsite landingurl landingpageurl entrypage entryurl pagelink pageaddress formpage sourcepage submissionurl submitpage leadpage "
        "fullurl siteurl страница адресстраницы ссылканастраницу страницазаявки страницаотправки урл урлстраницы urlстраницы"
    ),
    "referrer": _words(
        "referrer referer httpreferer httpreferrer ref documentreferrer referringsite referringurl refererurl referrerurl previouspage "
        "previousurl реферер реферрер pagereferrer pagereferer trackingreferrer attributionreferrer lastreferrer sessionreferrer"
    ),
    "page_title": _words("pagetitle pagename posttitle documenttitle"),
    "messenger": frozenset(MESSENGERS),
    "file": _words("file files upload uploads attachment attachments файл файлы вложение вложения datei fichier archivo arquivo"),
    "test": _words("test"),  # only with its underscore: _test
    "nobody": _words(  # look like a person's data and are not
        "username login nickname productname campaignname filename hostname sitename domainname groupname адресномер номер_заказа "
        "tranid orderid companyid"
    ),
}  # fmt: skip

_KNOWN = frozenset().union(*WHOLE.values())
for _role in ("name", "first_name", "last_name", "phone", "email", "company", "message"):
    WHOLE[_role] |= frozenset(languages.words_of(_role)) - _KNOWN

#: Beginnings of a single word that settle a name made of several words. In this order.
CONSENT_STEMS = (
    "соглас",
    "consent",
    "agree",
    "gdpr",
    "privacy",
    "политик",
    "персональн",
    "оферт",
    "policy",
    "acceptance",
    "acceptterms",
    "acceptprivacy",
    "accepted",
    "рассылк",
    "подписк",
    "newsletter",
    "optin",
    "datenschutz",
    "einwillig",
    "einverstanden",
    "privacidad",
    "privacidade",
    "consentim",
    "confidentialit",
    "rgpd",
    "dsgvo",
    "lgpd",
    "zgod", "згод", "kvkk", "rodo", "accept", "acept", "отпис", "wyraż", "wyraz", "souhlas", "súhlas", "samtyk", "samtyck", "suostu",
    "hyväksy", "toestemming", "akkoord", "elfogad", "hozzájárul", "съглас", "сагласн", "сагласан", "saglas", "slažem", "nõust",
    "piekrī", "sutink", "συμφων", "αποδέχ", "συγκατάθ", "onay", "rıza", "kabul", "gizlilik", "aydınlatma", "מאשר", "מסכימ", "מסכים", "أوافق",
    "موافق", "setuju", "келісе", "келісі", "розиман", "розилик", "roziman", "rozilik", "razıyam", "razılıq", "თანხმ", "ვეთანხმ", "համաձայն",
    "सहमत", "acconsent", "autorizz", "consens", "consimț", "consimt", "aceito", "concordo", "privatnost", "personvern", "tietosuoja",
    "adatvéd", "конфиденц", "конфіденц", "razumijem", "strinjam", "зөвшөөр", "макул",
)  # fmt: skip
CONSENT_WORDS = _words("subscribe unsubscribe")  # "subscribed" is a state
#: The same inside a name, where words are not parted or are two.
CONSENT_INSIDE = ("同意", "동의", "ยินยอม", "ยอมรับ", "đồng ý", "opt in")
#: Beginnings of words, anywhere in the name, label or text of a consent.
MARKETING_STEMS = (
    "marketing", "newsletter", "subscri", "mailing", "promo", "advert", "special offer", "offers", "updates", " news",
    "optin", "opt in", "рассыл", "подпис", "реклам", "новост", "акци", "маркетинг", "информационн", "werbung", "rundbrief",
    "publicidad", "boletin", "boletín", "novedades", "comercial", "infolettre", "publicit", "commercia", "prospection",
    "novidades", "publicidade", "marketingow", "розсил", "новин", "ticari", "elektronik ileti", "handlow", "obchodní", "markedsf",
    "marknadsf", "markkino", "nieuwsbrief", "hírlev", "reklam", "uutiskirje", "nyhetsbrev", "nyhedsbrev", "마케팅", "광고", "マーケティング", "メルマガ",
    "营销", "推广", "行銷", "การตลาด", "تسويق", "דיוור", "שיווק", "бюлетин", "zpravodaj", "bülten", "bulten", "tiếp thị", "pemasaran", "naujienlai",
    "jaunum", "uudiskir", "ενημερωτικ", "жарнама",
)  # fmt: skip
TRANSFER_STEMS = (
    "third part", "third-part", "thirdpart", "transfer", "share my", "partners", "третьим лиц", "третьих лиц", "передач",
    "трансгранич", "партнер", "weitergabe", "dritte", "übermittl", "terceros", "cesión", "cesion", "tiers", "partenaires",
    "terceiros",
)  # fmt: skip
FILE_STEMS = (
    "файл", "вложени", "прикреп", "резюме", "upload", "attach", "datei", "anhang", "fichier", "archivo", "adjunt", "arquivo",
    "anexo", "allegat", "załącznik", "vedlegg", "bilag", "bijlage", "vedhæft", "příloh", "príloh", "mellékl", "liite", "pièce", "piece_jointe", "dosya",
    "вкладен", "прикач", "тіркем", "файлда", "添付", "附件", "첨부", "קובץ", "مرفق", "ไฟล์", "fayl", "ფაილ",
)  # fmt: skip

#: Words that are about something else than a consent, whatever stands beside them.
NOT_CONSENT = _words("insurance language encoding charset cookie cookies payment страховой страхование договор number номер")
#: What stands in the words beside a box, should they be sent as its value.
AGREED_STEMS = (
    "соглас", "даю согл", "приним", "ознакомл", "agree", "accept", "consent", "i want", "subscribe", "einverstanden",
    "stimme zu", "akzeptier", "acepto", "acuerdo", "autorizo", "j'accepte", "accord", "consens", "accetto", "concordo", "aceito",
    "zgadzam", "zgod", "wyrażam", "погодж", "згод", "同意", "동의", "אני מאשר", "أوافق", "kabul", "akkoord", "souhlas", "súhlas", "samtyk",
    "samtyck", "godkänn", "suostun", "hyväksyn", "toestemming", "elfogad", "hozzájárul", "съглас", "сагласн", "сагласан", "slažem", "prihvać",
    "strinjam", "sunt de acord", "nõustun", "piekrīt", "sutink", "συμφων", "αποδέχ", "onaylıyorum", "onaylıyor", "okudum", "rıza", "razıyam",
    "ยินยอม", "ยอมรับ", "đồng ý", "setuju", "келісем", "розиман", "roziman", "თანხმ", "համաձայն", "सहमत", "موافق", "מסכים", "מאשרת",
    "подтвержда", "разреша", "i have read", "gelesen", "j'ai lu", "he leído", "ho letto", "prečítal", "przeczytał", "opted in",
)
#: In the name of a box that is ticked to refuse.
OPT_OUT_STEMS = ("не хочу", "не жела", "отпис", "unsubscri", "optout", "opt-out", "keine werbung", "no deseo", "no quiero", "não quero", "nie chc")
#: What turns such words into a refusal, wherever it stands.
REFUSED_STEMS = (
    "не соглас", "не даю", "не приним", "не разреш", "не подтвержд", "отказ", "откаж", "не погодж", "не згод", "не даю згод", "не съглас",
    "nie wyra", "nie zgadz", "nie akcept", "brak zgod", "nesouhlas", "nesúhlas", "do not", "don't", "not agree", "not accept", "disagree",
    "declin", "refus", "denied", "withdraw", "opted out", "opt out", "nicht einverstanden", "nicht zu", "nicht akzept", "lehne", "no acepto",
    "no autoriz", "no estoy", "não aceit", "não concord", "não autoriz", "non accett", "non accons", "non autoriz", "n'accepte pas",
    "ne suis pas", "pas d'accord", "niet akkoord", "geen toestemming", "ikke", "inte ", "en hyväksy", "en suostu", "nem fogad", "nem járul",
    "nu sunt de acord", "nu accept", "etmiyorum", "etmem", "onaylamıyor", "δεν ", "不同意", "동의하지", "동의 안", "同意しない", "同意しません", "לא מסכ",
    "לא מאשר", "لا أوافق", "غير موافق", "ไม่ยินยอม", "ไม่ยอมรับ", "không đồng ý", "tidak setuju", "келіспей", "neslažem", "ne slažem", "ne prihva",
    "nepiekrī", "nesutink", "ei nõust", "не погоджу",
)  # fmt: skip
#: Answers to a consent, in lower case.
YES = frozenset(
    ["on", "yes", "1", "true", "y", "t", "ok", "x", "checked", "accepted", "accept", "agree", "agreed", "да", "д", "согласен", "согласна", "ja", "oui", "si", "sí", "sim", "tak", "так", "wahr", "vrai", "verdadero", "evet", "はい", "是", "예", "כן", "نعم", "ano", "áno", "igen", "da", "taip", "jā", "jah", "kyllä", "ναι", "sì", "иә", "иа", "ha", "hə", "bəli", "так", "дa", "ใช่", "có", "ya", "네", "haan", "हाँ", "კი", "այո", "✓", "✔", "☑", "v", "+", "ticked", "selected", "granted", "given", "confirmed", "confirm", "subscribed", "согласны", "принимаю", "принято", "подтверждаю", "даю", "есть", "получено", "дано"]
) | {"i agree", "i accept", "i consent"}
NO = frozenset(
    ["0", "false", "no", "off", "n", "f", "нет", "не", "none", "null", "unchecked", "disagree", "declined", "reject", "rejected", "undefined", "nein", "non", "não", "nao", "nie", "ні", "falsch", "hayır", "いいえ", "否", "아니요", "아니오", "לא", "لا", "ne", "nei", "nej", "ei", "nem", "nu", "όχι", "hayir", "жоқ", "yo'q", "yoʻq", "yox", "ไม่", "không", "tidak", "नहीं", "არა", "ոչ", "✗", "✘", "☐", "-", "–", "—", "unticked", "not given", "not granted", "denied", "unsubscribed", "refused", "отказ", "отказано", "не принимаю", "ikke", "niet", "nepiekrītu", "nesutinku"]
) | {"", "not accepted", "not agreed", "not checked"}
NO_STARTS = ("не согл", "не даю", "нет,", "no,", "i do not", "i don't", "i disagree", "ich stimme nicht", "je refuse", "no acepto")
PHONE_STEMS = (
    "телефон",
    "phone",
    "mobil",
    "мобил",
    "telefon",
    "telephone",
    "celular",
    "teléfono",
    "téléphone",
    "тэлефон", "tālru", "puhelin", "telefoon", "հեռախոս", "ტელეფონ", "მობილურ", "τηλέφων", "मोबाइल", "फोन", "फ़ोन", "ফোন", "هاتف", "جوال", "تلفن",
    "موبایل", "טלפון", "הטלפון", "утасны",
)  # fmt: skip
#: Behind "e" or "el" they ask for an address: e-post, эл. почта.
POST_STEMS = ("mail", "post", "pošt", "past", "pašt", "pasts", "poçt", "poczt", "pocht", "пошт", "почт", "փոստ", "ფოსტ", "cím")
ELECTRONIC = _words("e е el эл ел էլ ელ elektronnaya elektron elektronická електрон электрон електронна электронная")
EMAIL_STEMS = ("email", "емейл", "имейл", "емэйл", "почт")
COMPANY_STEMS = ("компани", "организаци", "company", "organiz", "organis", "empresa")
#: Before what is asked for, with nothing between: yourname, ihrenachricht.
POSSESSIVES = ("your", "ihre", "votre", "vasha", "vashe", "vash", "ваше", "ваша", "ваш", "您的", "请输入", "请填写", "您", "お", "ご", "貴")
#: Behind it in the languages that say so: telefonunuz, исмингиз, хабарламаңыз, ข้อความของคุณ.
POSSESSIVE_ENDS = (
    "ınız", "iniz", "unuz", "ünüz", "nız", "niz", "nuz", "nüz", "ingiz", "ngiz", "ингиз", "нгиз", "ыңыз", "іңіз", "уңуз", "үңүз", "ңыз",
    "ңіз", "ңуз", "ңүз", "ңиз", "ของคุณ",
)  # fmt: skip
#: In languages that write no blanks: what a name contains, in the order in which it counts.
WITHIN: dict[str, tuple[str, ...]] = {
    "": ("时间", "時間", "시간", "主题", "件名", "类型", "地址", "住所", "주소"),
    "phone": ("电话", "電話", "手机", "手機", "携帯", "휴대폰", "핸드폰", "전화", "연락처", "เบอร์", "โทรศัพท์"),
    "email": ("邮箱", "郵箱", "邮件", "メール", "이메일", "อีเมล"),
    "company": ("公司", "会社", "企業名", "회사", "업체", "บริษัท"),
    "message": (
        "留言", "备注", "備考", "問い合わせ内容", "問合せ内容", "メッセージ", "質問", "要望", "相談内容", "문의", "메시지", "요청사항",
        "상담내용", "咨询内容", "需求描述", "ข้อความ", "รายละเอียด",
    ),
    "name": ("姓名", "氏名", "名前", "称呼", "성함", "이름", "ชื่อ"),
}  # fmt: skip
#: Beginnings of a question that asks for free words.
MESSAGE_STARTS = (
    "tell us", "how can we help", "what can we do", "how may we help", "what do you need", "what are you looking for",
    "what would you like", "what brings you", "что вам нужно", "какой у вас вопрос", "anything else", "describe", "please describe",
    "опишите", "расскажите", "напишите", "чем мы можем", "чем можем", "что вас интересует", "оставьте комментарий",
    "опишіть", "розкажіть", "beschreiben sie", "wie können wir", "cuéntanos", "cuentanos", "en qué podemos", "describa",
    "что нужно", "что вам нужно", "что требуется", "что вас", "что необходимо", "что хотите", "какой вопрос", "какая задача", "какие работы",
    "в чем ваш", "what do you need", "what are you looking", "what is this about", "what would you like", "how can i help",
    "what brings you", "write your", "hva trenger", "hva gjelder", "vad behöver", "vad gäller", "hvad drejer", "mitä tarvitset", "was benötigen",
    "womit können", "worum geht", "was können wir", "qu'est-ce que", "de quoi avez", "que pouvons", "como podemos", "nội dung", "lời nhắn", "qué necesita", "¿qué necesita", "¿en qué",
    "¿cómo podemos", "cómo podemos", "o que você", "do que você", "czego potrzeb", "w czym możemy", "opisz", "jak můžeme", "co potřebuj", "popište",
    "cosa ti serve", "di cosa hai", "come possiamo", "nasıl yardımcı", "size nasıl", "ne istersiniz", "що потрібно", "що вам", "чим можемо",
    "сізге не", "waarmee kunnen", "beschrijf", "décrivez", "dites-nous", "comment pouvons-nous", "como podemos ajudar", "conte-nos", "descrivi", "raccontaci",
)  # fmt: skip
#: Beginnings of a question that asks for a name.
NAME_STARTS = (
    "как к вам", "как вас", "как мне к вам", "как можно к вам", "как нам к вам", "what should we call", "what can we call", "how should we address",
    "what is your name", "what's your name", "what’s your name", "who should we", "wie heißen", "wie heissen", "wie dürfen wir sie", "comment vous appel",
    "comment t'appel", "cómo te llamas", "¿cómo te llamas", "¿cómo se llama", "cómo se llama", "como você se chama", "qual é o seu nome", "qual seu nome",
    "come ti chiami", "jak masz na imię", "jak się nazyw", "як вас", "як до вас", "як ваше", "adınız ne", "vad heter", "hva heter", "hvad hedder", "hoe heet",
    "jak se jmenuj", "hogy hívják", "cum te numești", "как се казвате", "kako se zov", "исмингиз нима", "ismingiz nima", "атыңыз кім", "сіздің атыңыз",
)  # fmt: skip
#: At the end of a name they ask for free words (projectDetails, special_requests), unless one of NOT_MESSAGE is beside.
MESSAGE_ENDS = _words("details notes requests remarks wishes пожелания подробности")
NOT_MESSAGE = _words("payment bank card company product delivery shipping contact account order_id device browser utm ids")
#: Before "text" or "content" they make it the message: order_text, feedback[content].
MESSAGE_HOLDERS = _words("feedback order message mail letter заявка request lead callback")
MESSAGE_STEMS = (
    "сообщени", "комментар", "коментар", "паведамлен", "вопрос", "message", "comment", "mensaje", "mensagem", "nachricht",
    "повідомл", "запитан", "питанн", "пытанн", "камента", "хабарлама", "хабарин", "сұра", "суроо", "билдирүү", "xabar", "savol",
    "mesaj", "meddeland", "beskjed", "besked", "melding", "viesti", "opmerking", "wiadomo", "zapytan", "pytani", "komentar",
    "zpráv", "zprav", "správ", "dotaz", "poptávk", "poznámk", "otázk", "üzenet", "megjegyz", "kérdés", "întrebar", "съобщени", "запитван",
    "въпрос", "poruk", "pitanj", "порук", "μήνυμα", "μηνυμα", "σχόλι", "ερώτησ", "הודע", "رسال", "ملاحظ", "استفسار", "پیام", "پیغام",
    "pesan", "pertanyaan", "संदेश", "सन्देश", "प्रश्न", "टिप्पण", "বার্তা", "შეტყობინ", "კომენტარ", "კითხვ", "შეკითხვ", "հաղորդագր", "հարց",
    "մեկնաբան", "žinut", "klausim", "ziņ", "jautājum", "sõnum", "küsimus", "kommentaar", "зурвас", "паем", "soobsch", "soobshch", "soobsh",
    "kommentar", "komment", "vopros", "anliegen", "mitteilung", "wunsch", "wünsch", "consulta", "pregunta", "pergunta", "comentári",
    "messaggi", "richiest", "domand", "remarqu", "précision",
)  # fmt: skip
NAME_WORDS = _words("name имя имени фио fio fullname nombre nome nom name_ имя_")
FIRST_WORDS, LAST_WORDS = _words("first имя"), _words("last surname фамилия")

#: Between words for a person's names: "imię i nazwisko", "Nume și prenume" ask for the whole name.
NAME_JOINTS = _words("и та й i y e et und and ve və och og ja en és și si a amp ва va да და և եւ und un ir і और एवं و")

#: Levels and names of those who take the inquiry, not of who sends it: their mail would make one person of all clients.
OURS = _words(
    "organizer organiser manager менеджер менеджера operator оператор employee сотрудник assignee assigned responsible ответственный "
    "merchant"
)

#: Words that say that "phone", "email" or "name" beside them is about something else.
NOT_PHONE = _words(
    "model модель модели type тип time время date дата code код count price цена manager менеджер менеджера operator shop "
    "verified confirmed подтвержден mask brand os id case чехол ремонт марка"
)
NOT_FILE = _words("name size type id count max имя название размер количество")
NOT_EMAIL = _words("verified confirmed sent status subject template id manager type host cc bcc")
NOT_NAME = _words(
    "form форма формы company компании организации product товара товар campaign utm user file host site domain group brand page "
    "city nick event field поле input course service project plan tariff tariffs button block manager order list category "
    "agent seller doctor employee agency listing internal "
    "status stage state variant plan delivery payment office pipeline currency bank variant template widget quiz survey test "
    "location property funnel step workflow flow landing calendar meeting room hotel restaurant clinic salon branch department филиал салон "
    "магазин отдел клиника account acct org owner referrer referer operation prefix suffix salutation listname studio webinar organizer organiser operator merchant employee responsible assignee "
    "source server app browser device street country region shop store school pet child ребенка питомца"
)

#: Words that carry no meaning in a field's name: with them gone the rest is compared as a whole.
FILLERS = _words(
    "din ditt dina dit dine deres jeres er ert sinun teidän uw jouw dein deine ihren bitte vos ton tes su sus il la tuo tua suo sua twój twoj twoje"
    " twoja pana pani swoje podaj wpisz váš vás vase vaše vaši vaša vašu zadejte uveďte az ön dvs dumneavoastra вашето вашият вашата вашия"
    " вашите molimo unesite vaš το τα η ο σας σασ μου lütfen sizin сиздин сизнинг шумо худ худро таны आपका आपकी आपके আপনার شما خود آپ کا کی שלך anda kamu"
    " của bạn თქვენი ձեր jūsų jūsu teie sinu ваші вашу введіть вкажіть вашае вашы 귀하의 "
    "сіздің sizning dumneavoastră your my our the field input form text txt vash vasha vashe vashi ваш ваша ваше ваши введите укажите please enter client customer contact user lead "
    "клиента контактный контактная q su votre ihr ihre seu deu tu wpcf7 question"
)

#: Words beside a messenger's name that still ask for the account itself.
MESSENGER_FILLERS = FILLERS | _words(
    "username nick nickname ник никнейм id account аккаунт login логин link ссылка номер number phone телефон handle в or или"
)

#: Parts of names that builders make up; a field with no other part says nothing about itself.
MADE_UP = _words(
    "f fld fl field fields input inputs item items meta text string str q question form answer value data param attr custom "
    "wpforms textarea txt simple p line var col column single multi short long и поле вопрос ввод entry element el id input_text feld champ campo"
) | {""}
#: What builders call a question before anybody has named it: Jotform's q7_typeA is "Type a question".
UNNAMED = _words("typea typeaquestion clickto clicktoedit untitled untitledquestion untitledfield newfield newquestion yourquestionhere вопросбезназвания безназвания")
#: A person's name on some sites, a login on others.
WEAK_NAMES = _words("username ownername author customer client buyer bayer sender user пользователь клиент покупатель автор otpravitel")

#: A number under one of these words is no telephone, however much it looks like one.
NOT_A_NUMBER_WORDS = _words(
    "order заказ заказа inn инн кпп kpp огрн ogrn zip index индекс price цена sum сумма date дата id uid price amount card карта "
    "карты договор договора contract account счет счета passport паспорт снилс timestamp time session token hash code код year"
)

#: Fields that machines add and nobody reads. They are in the raw body, should anyone need them.
TECH = _words(
    "action submit recaptcha grecaptcharesponse hcaptcharesponse cfturnstileresponse smarttoken formspeccomments sessid "
    "csrf csrftoken xsrftoken csrfmiddlewaretoken authenticitytoken requestverificationtoken viewstate eventvalidation wpnonce "
    "wphttpreferer wpcf wpcfversion wpcflocale wpcfunittag wpcfcontainerpost wpcfposteddatahash jsexecutiontracker "
    "handshakekey uploadserverurl eventobserver validatednewrequiredfieldids submitsource builddate"
)
TECH_STARTS = (
    "gform_",
    "_wpcf7",
    "is_submit_",
    "formservices",
    "csrf",
    "_csrf",
    "__",
    "g-recaptcha",
    "wpforms[hp",
    "tildaspec-",
)

#: The page snippet's and the generic form's own fields.
OWN = _words("_key _age_ms _try _next _redirect")

#: Names under which cookies of the visitor are sent along. They hold session secrets: marks are taken, the rest dropped.
COOKIES = _words(
    "cookies cookie _cookies tildautm sbjs_current sbjs_first document_cookie documentcookie document.cookie cookie_string cookiestring "
    "cookies_string cookie_dump cookiedump cookies_dump all_cookies allcookies browser_cookies user_cookies http_cookie куки"
)


#: Words and labels under which people are shown where a lead came from. What stands there is also an answer, so it stays a
#: field, and counts only where nothing else says the mark.
TOLD_MARKS = {
    **dict.fromkeys((
        "источник", "источниктрафика", "рекламныйисточник", "источникрекламы", "источникперехода", "источникзаявки", "источниклида",
        "trafficsource", "adsource", "campaignsource", "marketingsource", "sourcename", "quelle", "fuente", "źródło", "zrodlo", "sourcedetrafic",
        "джерело", "джерелотрафіку", "kaynak", "origine", "origem", "bron", "дереккөз",
    ), "utm_source"),
    **dict.fromkeys((
        "campaign", "campaignname", "adcampaign", "advertisingcampaign", "marketingcampaign", "кампания", "рекламнаякампания",
        "названиекампании", "kampagne", "campaña", "campana", "kampania", "campagne", "campagna", "campanha", "кампанія", "kampanya",
    ), "utm_campaign"),
    **dict.fromkeys((
        "campaignmedium", "trafficmedium", "trafficchannel", "marketingchannel", "каналтрафика", "рекламныйканал",
        "типтрафика",
    ), "utm_medium"),
    **dict.fromkeys(("keyword", "searchkeyword", "adkeyword", "ключевоеслово", "ключеваяфраза", "поисковыйзапрос"), "utm_term"),
}  # fmt: skip

CLICK_IDS = {
    **{name: name for name in (
        "gclid", "gbraid", "wbraid", "dclid", "yclid", "ysclid", "fbclid", "ttclid", "msclkid", "vkclid", "rb_clickid",
        "li_fat_id", "twclid", "_openstat", "clickid", "click_id", "sccid", "epik", "irclickid", "rdt_cid", "qclid",
    )},
    "gcl_id": "gclid", "openstat": "_openstat",  # Google Ads' lead forms write it so
    "google_click_id": "gclid", "googleclickid": "gclid", "google_clid": "gclid", "facebook_click_id": "fbclid",
    "facebookclickid": "fbclid", "fb_click_id": "fbclid", "fbclickid": "fbclid", "meta_click_id": "fbclid",
    "yandex_click_id": "yclid", "yandexclickid": "yclid", "ya_click_id": "yclid", "ms_click_id": "msclkid",
    "bing_click_id": "msclkid", "microsoft_click_id": "msclkid", "tiktok_click_id": "ttclid", "tiktokclickid": "ttclid",
    "vk_click_id": "vkclid", "scclid": "sccid", "snap_click_id": "sccid",
}  # fmt: skip
#: Names of visitors' ids as they are sent, and the key under which they are kept.
CLIENT_IDS = {
    "_ga": "ga", "ga": "ga", "ga_client_id": "ga", "ga_cid": "ga", "google_client_id": "ga",
    "_ym_uid": "ym_uid", "ym_uid": "ym_uid", "ym_client_id": "ym_uid", "yandex_client_id": "ym_uid", "ym_clientid": "ym_uid",
    "roistat": "roistat_visit", "roistat_visit": "roistat_visit", "roistat_id": "roistat_visit",
    "_fbp": "fbp", "fbp": "fbp", "_fbc": "fbc", "fbc": "fbc",
    "_ct_session_id": "ct_session_id", "ct_session_id": "ct_session_id", "calltouch_session_id": "ct_session_id",
    "_ct_site_id": "ct_site_id", "ga_id": "ga", "google_analytics_client_id": "ga", "google_analytics_id": "ga",
    "gaclientid": "ga", "yaclientid": "ym_uid", "ya_client_id": "ym_uid", "metrika_client_id": "ym_uid", "metrica_client_id": "ym_uid",
    "metrika_id": "ym_uid", "yandex_metrika_client_id": "ym_uid", "yandex_metrika_id": "ym_uid", "yametrika_client_id": "ym_uid",
    "roistatvisit": "roistat_visit", "roistat_visit_id": "roistat_visit", "facebook_fbp": "fbp", "facebook_fbc": "fbc",
    "hubspotutk": "hubspotutk", "hutk": "hubspotutk",
}  # fmt: skip

#: What builders call the type of a field, where the name says nothing.
TYPES = {
    "tel": "phone", "phone": "phone", "phone_number": "phone", "input_phone_number": "phone", "formphoneinput": "phone",
    "name": "name", "fullname": "name", "full_name": "name", "shortname": "name", "contact_name": "name",
    "textarea": "message", "text_area": "message", "long_text": "message", "paragraph": "message", "paragraph_text": "message",
    "multiline": "message", "longanswer": "message", "control_textarea": "message", "control_fullname": "name",
    "control_phone": "phone", "control_email": "email", "phonenumber": "phone", "phoneinput": "phone", "mobile": "phone",
    "email": "email", "input_email": "email", "emailinput": "email", "formemailinput": "email",
    "acceptance": "consent", "consent": "consent", "gdpr": "consent", "gdpr-checkbox": "consent", "gdpr_checkbox": "consent",
    "gdprcheckbox": "consent", "gdpr-agreement": "consent", "agreement": "consent", "consent_checkbox": "consent", "privacy": "consent",
    "accept_terms": "consent", "legal": "consent", "legal_consent": "consent", "opt_in": "consent", "optin": "consent",
    "policy": "consent", "recaptcha": "tech", "honeypot": "",
    "file": "file", "files": "file", "upload": "file", "fileupload": "file", "file_upload": "file", "file_url": "file",
    "file-upload": "file", "fileuploads": "file", "dropzone": "file", "upload_file": "file", "input_file": "file", "control_fileupload": "file", "attachment": "file",
}  # fmt: skip
