"""Addresses at which no client is: those of programs that write for others, and our own. Pure, and no DNS."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from crm_core.identity.company_domains import house_domain
from crm_core.identity.emails import read_emails

#: Local parts of senders that are programs.
_PROGRAM: Final = re.compile(
    r"^(?:(?:.*[._-])?(?:no|do-?not|dont|never)[._-]?(?:reply|answer|respond)(?:[._+-].*|\d*)$|"
    r"(?:robot|bot|wordpress|www-data|wwwrun|apache|nginx|httpd|nobody|root|forms?|webforms?|formular|feedback-?form|mailer|"
    r"notif(?:y|ier|ications?)|alerts?|autoreply|automailer|automat|system|daemon|mailgun|postmaster|bitrix|tilda|"
    r"buyleads|buyershelp(?:desk)?|enquiry-?alert|lead-?alerts?)(?:[._+-].*|\d*)$)",
    re.IGNORECASE,
)
#: Domains from which builders of forms and portals write for others. Below them too; their staff writes from elsewhere.
_SENDING: Final = frozenset(
    """
    tilda.ws tilda.cc forms.tilda.ws avito.ru cian.ru domclick.ru youla.ru profi.ru youdo.com hh.ru zoon.ru 2gis.ru
    indiamart.com tradeindia.com exportersindia.com justdial.com zillow.com trulia.com realtor.com immobilienscout24.de
    mobile.de leboncoin.fr otomoto.pl jivosite.com jivo.ru jivochat.com marquiz.ru flexbe.com formspree.io
    web3forms.com formsubmit.co getform.io usebasin.com formcarry.com typeform.com jotform.com wufoo.com cognitoforms.com
    wix-forms.com crm.wix.com squarespace.info form.squarespace.com netlify.com formresponse.com tally.so
    callibri.ru roistat.com calltouch.ru callbackhunter.com envybox.io lpmotor.ru mottor.ru creatium.ru nethouse.ru
    wordpress.com elementor.com insales.ru ecwid.com
    """.split()  # noqa: SIM905 (words read best as words)
)
#: Of those, where the address stands for one visitor and takes the answer.
_RELAYS: Final = frozenset({"convo.zillow.com"})


def is_program(email: str) -> bool:
    """Whether nobody reads mail to this address: a site's robot, a portal's sender."""
    return _is_program(email.strip().lower())


@lru_cache(maxsize=4096)
def _is_program(email: str) -> bool:
    local, _, domain = email.rpartition("@")
    if domain in _RELAYS:
        return False
    if _PROGRAM.match(local):
        return True
    return any(domain == one or domain.endswith(f".{one}") for one in _SENDING)


def is_ours(email: str, own: Collection[str]) -> bool:
    """Whether the address is one of our own, however written, or at a domain that is ours alone."""
    keys = [key for key in read_emails(email) if not key.is_guess]
    if any(key.value in own for key in keys):
        return True
    domains = {domain for key in keys if (domain := house_domain(key.value))}
    return bool(domains) and not domains.isdisjoint(our_domains(frozenset(own)))


@lru_cache(maxsize=256)
def our_domains(own: frozenset[str]) -> frozenset[str]:
    """Those that we registered, by our own addresses; free mail is nobody's."""
    return frozenset(domain for address in own if "@" in address and (domain := house_domain(address)))
