"""Mails that programs write about their visitors: sites' forms, portals, chats, by the words their templates have. Nobody in
them exists; each is made for any visitor, so that two can be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage


@dataclass(frozen=True)
class Visitor:
    name: str
    phone: str  # as a person writes it
    email: str
    message: str

    @property
    def number(self) -> str:
        return "+" + "".join(char for char in self.phone if char.isdigit())


OLGA = Visitor("Olga Sokolova", "+7 912 345-67-05", "olga@client.example", "How much is an oak door?")
PAVEL = Visitor("Pavel Orlov", "+7 912 345-67-06", "pavel@client.example.net", "Please call me about windows.")


@dataclass(frozen=True)
class Robot:
    sender: str
    subject: str
    text: str  # with {name}, {phone}, {email}, {message}
    reply_to: bool = False
    html: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    def says(self, what: str) -> bool:
        """Whether the template names it at all."""
        return f"{{{what}}}" in self.text or (what in ("name", "email") and self.reply_to)


_SITE = "\n\n-- \nDoors and Windows, +7 495 123-45-67, sales@hub.example\n"

ROBOTS = {
    "contact_form_7": Robot(
        "Doors <wordpress@site.example>", 'Doors "Price"',
        "From: {name} {email}\nSubject: Price\n\nMessage Body:\n{message}\n\n-- \nThis is a notification that a contact form was "
        "submitted on your website (Doors https://site.example).", reply_to=True,
    ),
    "contact_form_7_ru": Robot(
        "Двери <sales@hub.example>", "Двери «Цена»",
        "От: {name} <{email}>\nТема: Цена\n\nСообщение:\n{message}\n\n-- \nЭто сообщение отправлено с сайта Двери, +7 495 123-45-67",
    ),
    "tilda": Robot(
        "noreply@tilda.ws", "New lead from the site",
        "Request details:\nName: {name}\nphone: {phone}\nemail: {email}\nTextarea: {message}\n\nAdditional information:\n"
        "Transaction ID: 11:22\nBlock ID: rec33\nForm Name: Price\nhttps://site.example/price\n-----\n",
    ),
    "tilda_html": Robot(
        "Site <hello@forms.tilda.ws>", "Заявка с сайта",
        "<b>Детали заявки:</b><br>Имя: {name}<br>Телефон: {phone}<br>Email: {email}<br>Комментарий: {message}<br><br>"
        "Дополнительная информация:<br>ID транзакции: 11:22<br>ID блока: rec33<br>", html=True,
    ),
    "wpforms": Robot(
        "Doors <admin@site.example>", "New Entry: Simple Contact Form",
        "<table><tr><td>Name</td></tr><tr><td>{name}</td></tr><tr><td>Email</td></tr><tr><td>{email}</td></tr><tr><td>Phone</td>"
        "</tr><tr><td>{phone}</td></tr><tr><td>Comment or Message</td></tr><tr><td>{message}</td></tr></table><p>Sent from "
        "<a href='https://site.example'>Doors</a></p>", html=True,
    ),
    "elementor": Robot(
        "Doors <email@site.example>", 'New message from "Doors"',
        "Name: {name}\nEmail: {email}\nMessage: {message}\n\n---\n\nDate: January 15, 2026\nTime: 10:00 am\n"
        "Page URL: https://site.example/\nUser Agent: Mozilla/5.0\nRemote IP: 203.0.113.4\nPowered by: Elementor\n",
    ),
    "avito": Robot(
        "Авито <noreply@avito.ru>", "Вам пришло новое сообщение",
        "{name} написал вам сообщение по объявлению «Дверь дубовая».\n\nОтветить: https://www.avito.ru/profile/messenger\n"
        "Служба поддержки: +7 495 777-10-66\n",
    ),
    "cian": Robot(
        "ЦИАН <message@cian.ru>", "Новая заявка по объявлению",
        "Новая заявка\nИмя: {name}\nТелефон: {phone}\nСообщение: {message}\n\nС уважением, команда Циан\n+7 495 212-06-26\n",
    ),
    "indiamart": Robot(
        "IndiaMART <buyershelpdesk@indiamart.com>", "Enquiry for Doors",
        "<p>Dear Seller,</p><table><tr><td>Buyer Name:</td><td>{name}</td></tr><tr><td>Mobile No:</td><td>{phone}</td></tr><tr><td>"
        "Email:</td><td>{email}</td></tr><tr><td>Message:</td><td>{message}</td></tr></table>"
        "<p>--</p><p>Call IndiaMART at +91 96 9696 9696</p>", html=True,
    ),
    "zillow": Robot(
        "{name} <{alias}@convo.zillow.com>", "{name} is requesting information about 5 Main St",
        "New contact\n{name} says: {message}\nName: {name}\nPhone: {phone}\n",
    ),
    "jivo": Robot(
        "Jivo <info@jivosite.com>", "Новое офлайн-сообщение",
        "Новое сообщение с сайта site.example\nИмя клиента: {name}\nТелефон: {phone}\nEmail: {email}\nСообщение: {message}\n",
        headers=(("Auto-Submitted", "auto-generated"),),
    ),
    "label_value_ru": Robot(
        "Сайт <zayavka@site.example>", "Заявка с сайта",
        "ФИО: {name}\nТел.: {phone}\nПочта: {email}\nКомментарий: {message}" + _SITE,
    ),
    "label_value_en": Robot("site@leads.example", "Website lead", "Name: {name}\nPhone: {phone}\nE-mail: {email}\nMessage: {message}" + _SITE),
    "label_value_de": Robot("web@site.example", "Kontaktformular", "Name: {name}\nTelefon: {phone}\nE-Mail: {email}\nNachricht: {message}" + _SITE),
    "label_value_fr": Robot("web@site.example", "Formulaire", "Nom : {name}\nTéléphone : {phone}\nCourriel : {email}\nMessage : {message}" + _SITE),
    "label_value_es": Robot(
        "web@site.example", "Formulario", "Nombre: {name}\nTeléfono: {phone}\nCorreo electrónico: {email}\nMensaje: {message}" + _SITE,
    ),
    "label_value_pl": Robot("web@site.example", "Formularz", "Imię: {name}\nTelefon: {phone}\nE-mail: {email}\nWiadomość: {message}" + _SITE),
    "phone_only": Robot("order@site.example", "Callback", "Name: {name}\nPhone: {phone}" + _SITE),
    "nobody_named": Robot("robot@site.example", "Callback", "Somebody asked for a call." + _SITE),
    "our_mailbox": Robot("Site <sales@hub.example>", "Form", "Name: {name}\nPhone: {phone}\nMessage: {message}" + _SITE, reply_to=True),
    "our_mailbox_no_reply_to": Robot("Site <sales@hub.example>", "Form", "Name: {name}\nPhone: {phone}\nEmail: {email}\nMessage: {message}"),
    "our_domain": Robot("Site <www@hub.example>", "Form", "Name: {name}\nPhone: {phone}\nMessage: {message}" + _SITE, reply_to=True),
    "header_only": Robot(
        "Shop <shop@site.example>", "Question", "{message}" + _SITE, reply_to=True, headers=(("Auto-Submitted", "auto-generated"),),
    ),
}  # fmt: skip


def mail(kind: str, visitor: Visitor, number: int = 1) -> bytes:
    """What the program sends to sales@hub.example about this visitor."""
    robot = ROBOTS[kind]
    values = {
        "name": visitor.name, "phone": visitor.phone, "email": visitor.email, "message": visitor.message,
        "alias": visitor.email.replace("@", "-"),
    }  # fmt: skip
    message = EmailMessage()
    message["From"], message["To"] = robot.sender.format(**values), "sales@hub.example"
    message["Subject"] = robot.subject.format(**values)
    message["Message-ID"], message["Date"] = f"<{kind}-{number}@robot.example>", f"Thu, 15 Jan 2026 10:00:{number:02d} +0300"
    if robot.reply_to:
        message["Reply-To"] = f"{visitor.name} <{visitor.email}>"
    for name, value in robot.headers:
        message[name] = value
    message.set_content(robot.text.format(**values), subtype="html" if robot.html else "plain")
    return message.as_bytes()
