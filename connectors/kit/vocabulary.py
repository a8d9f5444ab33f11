"""The words by which forms of the world name their fields. Tables only; `roles` says how they are used.

Whole names are compared after case, accents of writing, separators and trailing digits are gone; stems begin a word.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Role of a whole name. Names that would fool a stem (form_name, username) stand here too, with their true role.
WHOLE: dict[str, frozenset[str]] = {
    "phone": _words(
        "phone tel telephone mobile cell phonenumber contactnumber contactphone whatsapp wa viber msisdn homephone workphone "
        "телефон тел мобильный номер номертелефона моб сотовый телефондлясвязи telefon telefono teléfono telefone fone celular "
        "móvil movil handy téléphone numéro numérodetéléphone numer telefonnummer numerotelefono cellulare gsm телефонен "
        "τηλέφωνο 電話 電話番号 电话 电话号码 手机 手机号 전화 전화번호 연락처 טלפון נייד هاتف جوال الهاتف الجوال رقمالهاتف "
        "телефону номертелефону formphoneinput inputphonenumber"
    ),
    "email": _words(
        "email mail emailaddress replyto useremail mailaddress emailid почта элпочта электроннаяпочта емейл имейл емэйл мейл "
        "емаил correo correoelectronico correoelectrónico courriel adressemail мейладрес メール メールアドレス 邮箱 电子邮件 "
        "이메일 דואל אימייל بريد البريدالإلكتروني eposta поштa електроннапошта"
    ),
    "name": _words(
        "name fullname fio contactname personname clientname customername firstandlastname firstlastname имя фио вашеимя имяифамилия "
        "каквамобращаться каквасзовут каквасзвать какквамобращаться какквамобращатся обращение контактноелицо nombre nome "
        "nomecompleto nombrecompleto nom nomcomplet nomprénom prénom vollständigername imię imięinazwisko imienazwisko "
        "adsoyad ad isim 姓名 名前 氏名 お名前 이름 성함 שם שםמלא اسم الاسم الاسمالكامل імя імʼя пиб"
    ),
    "first_name": _words("firstname fname forename givenname vorname prenom nombredepila firstnames"),
    "last_name": _words("lastname lname surname familyname secondname фамилия nachname apellido apellidos sobrenome cognome nazwisko"),
    "middle_name": _words("middlename отчество patronymic"),
    "message": _words(
        "message msg comment comments text question questions details body inquiry enquiry description note notes textarea request "
        "сообщение комментарий комментарии вопрос вашвопрос пожелания примечание текст опишитезадачу описание отзыв "
        "mensaje mensagem nachricht comentario comentarios commentaire bemerkung wiadomość messaggio mesaj повідомлення "
        "留言 メッセージ お問い合わせ内容 문의 문의내용 הודעה رسالة الرسالة yourmessage"
    ),
    "company": _words(
        "company companyname organization organisation business employer firm компания организация названиекомпании "
        "названиеорганизации фирма empresa entreprise société firma unternehmen azienda spółka 会社 会社名 公司 회사 חברה شركة"
    ),
    "title": _words("subject topic тема темаобращения темасообщения yoursubject asunto assunto betreff sujet oggetto temat"),
    "form_id": _words("formid formident"),
    "form_name": _words("formname formtitle nameform названиеформы имяформы"),
    "page_url": _words("pageurl pageuri pagelocation url href location sourceurl requesturl formurl currenturl page landing landingpage"),
    "referrer": _words("referrer referer httpreferer httpreferrer ref documentreferrer"),
    "test": _words("test"),  # only with its underscore: _test
    "nobody": _words(  # look like a person's data and are not
        "username login nickname productname campaignname filename hostname sitename domainname groupname адресномер номер_заказа "
        "tranid orderid companyid"
    ),
}  # fmt: skip

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
    "acceptterms",
    "рассылк",
)
PHONE_STEMS = (
    "телефон",
    "phone",
    "mobil",
    "мобил",
    "whatsapp",
    "telefon",
    "telephone",
    "celular",
    "teléfono",
    "téléphone",
)
EMAIL_STEMS = ("email", "емейл", "имейл", "емэйл", "почт")
COMPANY_STEMS = ("компани", "организаци", "company", "organiz", "organis", "empresa")
MESSAGE_STEMS = ("сообщени", "комментар", "вопрос", "message", "comment", "mensaje", "mensagem", "nachricht")
NAME_WORDS = _words("name имя имени фио nombre nome nom name_ имя_")
FIRST_WORDS, LAST_WORDS = _words("first имя"), _words("last surname фамилия")

#: Words that say that "phone", "email" or "name" beside them is about something else.
NOT_PHONE = _words(
    "model модель модели type тип time время date дата code код count price цена manager менеджер менеджера operator shop "
    "verified confirmed подтвержден mask brand os id case чехол ремонт марка"
)
NOT_EMAIL = _words("verified confirmed sent status subject template id manager type host")
NOT_NAME = _words(
    "form форма формы company компании организации product товара товар campaign utm user file host site domain group brand page "
    "city nick event field поле input course service project plan tariff tariffs button block manager order list category "
    "source server app browser device street country region shop store school pet child ребенка питомца"
)

#: Words that carry no meaning in a field's name: with them gone the rest is compared as a whole.
FILLERS = _words(
    "your my our the field input form text ваш ваша ваше ваши введите укажите please enter client customer contact user lead "
    "клиента контактный контактная q su votre ihr ihre seu deu tu wpcf7 question"
)

#: A number under one of these words is no telephone, however much it looks like one.
NOT_A_NUMBER_WORDS = _words(
    "order заказ заказа inn инн кпп kpp огрн ogrn zip index индекс price цена sum сумма date дата id uid price amount card карта "
    "карты договор договора contract account счет счета passport паспорт снилс timestamp time session token hash code код year"
)

#: Fields that machines add and nobody reads. They are in the raw body, should anyone need them.
TECH = _words(
    "action submit recaptcha grecaptcharesponse hcaptcharesponse cfturnstileresponse smarttoken altcha formspeccomments sessid "
    "csrf csrftoken xsrftoken csrfmiddlewaretoken authenticitytoken requestverificationtoken viewstate eventvalidation wpnonce "
    "wphttpreferer wpcf wpcfversion wpcflocale wpcfunittag wpcfcontainerpost wpcfposteddatahash jsexecutiontracker "
    "uploadserverurl eventobserver validatednewrequiredfieldids submitsource builddate"
)
TECH_STARTS = (
    "gform_",
    "_wpcf7",
    "is_submit_",
    "state_",
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

CLICK_IDS = _words(
    "gclid gbraid wbraid dclid gcl_id yclid ysclid fbclid ttclid msclkid vkclid rb_clickid li_fat_id twclid _openstat clickid click_id"
)
#: Names of visitors' ids as they are sent, and the key under which they are kept.
CLIENT_IDS = {
    "_ga": "ga", "ga": "ga", "ga_client_id": "ga", "ga_cid": "ga", "google_client_id": "ga",
    "_ym_uid": "ym_uid", "ym_uid": "ym_uid", "ym_client_id": "ym_uid", "yandex_client_id": "ym_uid", "ym_clientid": "ym_uid",
    "roistat": "roistat_visit", "roistat_visit": "roistat_visit", "roistat_id": "roistat_visit",
    "_fbp": "fbp", "fbp": "fbp", "_fbc": "fbc", "fbc": "fbc",
    "_ct_session_id": "ct_session_id", "ct_session_id": "ct_session_id",
    "hubspotutk": "hubspotutk", "hutk": "hubspotutk",
}  # fmt: skip

#: What builders call the type of a field, where the name says nothing.
TYPES = {
    "tel": "phone", "phone": "phone", "phone_number": "phone", "input_phone_number": "phone", "formphoneinput": "phone",
    "email": "email", "input_email": "email", "emailinput": "email", "formemailinput": "email",
    "acceptance": "consent", "consent": "consent", "recaptcha": "tech", "honeypot": "",
}  # fmt: skip
