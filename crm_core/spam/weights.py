"""What each sign of spam weighs, and why. The one table; docs/spam.md tells the same to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

#: trap: something that only robots do. proof: the puzzle of the form. content: what was written. rate: how often.
#: weak: how the request looked; says little about honest people, so all weak signs together count WEAK_CAP at most.
#: good: speaks for the sender.
Kind = Literal["trap", "proof", "content", "rate", "weak", "good"]

QUARANTINE_FROM: Final = 4  # points: set aside, in the list that somebody looks through
BURY_FROM: Final = 8  # points: set aside, and not counted among what is to be looked through
WEAK_CAP: Final = 3  # below QUARANTINE_FROM, so that weak signs alone never set anybody aside


@dataclass(frozen=True, slots=True)
class Weight:
    points: int
    kind: Kind
    why: str


WEIGHTS: Final[Mapping[str, Weight]] = {
    # Traps. Autofill fills honeypots, and password managers post at once: even these only set aside.
    "honeypot": Weight(4, "trap", "A hidden field was filled in; people do not see it, but autofill sometimes does."),
    "too_fast": Weight(3, "trap", "Sent within two seconds of being shown."),
    "token_forged": Weight(2, "trap", "The form's time token is not ours, or belongs to another form."),
    "token_old": Weight(1, "weak", "The form was shown more than a day ago; robots keep forms, so do open tabs."),
    "burst": Weight(4, "rate", "It came while this source was flooded."),
    # The puzzle. An old browser or a blocked script cannot solve it, so its absence alone is not enough.
    "altcha_good": Weight(-2, "good", "The form's puzzle was solved."),
    "altcha_missing": Weight(2, "proof", "The form's puzzle was expected and is missing."),
    "altcha_wrong": Weight(3, "proof", "The puzzle was not made by this form, or its solution is wrong."),
    "altcha_expired": Weight(3, "proof", "The puzzle's solution came too late."),
    "altcha_replayed": Weight(3, "proof", "The puzzle's solution was used before."),
    # Content. None reaches the threshold alone, but for what nobody writes who wants something.
    "links": Weight(2, "content", "Two or more links to other sites."),
    "many_links": Weight(4, "content", "Links to five or more other sites."),
    "markup": Weight(3, "content", "BBCode or HTML in a field where people write plain words."),
    "link_in_name": Weight(4, "content", "A web address where the name belongs."),
    "other_script": Weight(2, "content", "A Russian-speaking form, not one Cyrillic letter, and a link."),
    "spam_phrase": Weight(2, "content", "A phrase of people who sell to site owners by their forms."),
    "spam_phrases": Weight(4, "content", "Several such phrases."),
    "spam_text": Weight(6, "content", "Many such phrases."),
    "offer_with_link": Weight(2, "content", "Such a phrase, and a link to another site."),
    "price_probe": Weight(4, "content", "The one sentence that robots ask in every language: your price."),
    "brand_company": Weight(2, "content", "Company “google” and the like: what form robots fill in."),
    "all_ticked": Weight(2, "content", "Every checkbox ticked: robots tick whatever there is."),
    "random_text": Weight(2, "content", "A field holds random letters."),
    "random_texts": Weight(4, "content", "Several fields hold random letters."),
    "disposable_email": Weight(2, "content", "The address is of a throw-away mail service."),
    # How often. Offices and mobile networks share addresses, so no single rate sets aside.
    "ip_per_minute": Weight(2, "rate", "More than ten posts in a minute from one address."),
    "ip_per_hour": Weight(1, "rate", "More than sixty posts in an hour from one address."),
    "phone_many_ips": Weight(3, "rate", "The same phone three times in an hour from different addresses."),
    "text_many_ips": Weight(3, "rate", "The same words from many addresses within an hour."),
    # Weak ones.
    "user_agent": Weight(2, "weak", "No browser says so little about itself."),
    "foreign_origin": Weight(2, "weak", "The page is none of the source's own."),
    "no_referrer": Weight(1, "weak", "The request names no page, though the source's pages are known."),
    "phone_invalid": Weight(1, "weak", "The phone is no number of any plan; people mistype."),
    "phone_repeated": Weight(2, "weak", "The phone is one digit over and over, or a row of the keyboard."),
    "phone_premium": Weight(2, "weak", "A premium-rate number."),
    "dotted_email": Weight(1, "weak", "An address with many dots, as robots make many out of one."),
}
