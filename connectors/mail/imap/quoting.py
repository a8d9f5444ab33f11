"""How mail programs of many languages announce somebody else's words: header blocks, lines "… wrote:", separators.

Nothing here decides what a mail is; `forward` and `reply` do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_SCANNED_LINES: Final = 1_000
_LINE_CHARS: Final = 2_000
_RUN: Final = re.compile(r"([^\w\n])\1{80,}")
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff]")

#: Words before the colon, in lower case, and what they announce.
_LABELS: Final[Mapping[str, str]] = {
    word: role
    for role, words in {
        "from": "from|от|от кого|отправитель|von|absender|de|expéditeur|remitente|remetente|da|mittente|van|afzender|od|nadawca|"
        "odesílatel|odosielateľ|fra|avsender|afsender|från|avsändare|lähettäjä|feladó|gönderen|kimden|από|від|від кого|відправник|"
        "expeditor|de la|saatja|nuo|siuntėjas|šalje|pošiljatelj|от кого|подател|发件人|寄件者|寄件人|差出人|送信者|送信元|보낸 사람|보낸사람|מאת|من|dari|từ|ผู้ส่ง|çdan",
        "to": "to|кому|получатель|an|empfänger|à|a|pour|destinataire|para|destinatario|per|aan|naar|do|adresat|komu|příjemce|til|till|"
        "mottaker|mottagare|vastaanottaja|címzett|kime|alıcı|προς|către|catre|pentru|destinatar|saaja|kam|prima|za|primatelj|получател|до|收件人|收件者|宛先|送信先|받는 사람|받는사람|אל|إلى|kepada|đến",
        "cc": "cc|копия|kopie|kopie (cc)|copie|copie à|copia|cópia|kopia|kopi|kopio|másolat|bilgi|κοιν.|κοινοποίηση|копія|kópia|kopija|koopia|"
        "do wiadomości|dw|抄送|副本|参照|참조|עותק|نسخة",
        "date": "date|sent|дата|отправлено|отправлен|datum|gesendet|envoyé|envoyé le|fecha|enviado|enviado el|enviada|enviada em|data|"
        "inviato|data invio|verzonden|wysłano|wysłane|odesláno|odoslané|dátum|dato|sendt|skickat|lähetetty|päivämäärä|päiväys|elküldve|küldve|"
        "tarih|gönderildi|gönderme tarihi|gönderilme tarihi|ημερομηνία|στάλθηκε|trimis|trimis la|надіслано|відправлено|kuupäev|saadetud|išsiųsta|"
        "poslano|изпратено|日期|发送时间|发送日期|日付|送信日時|送信日|날짜|보낸 날짜|תאריך|נשלח|تاريخ|tanggal|ngày",
        "subject": "subject|тема|betreff|objet|sujet|asunto|oggetto|assunto|onderwerp|temat|předmět|predmet|emne|ämne|aihe|tárgy|konu|"
        "θέμα|subiect|teema|tema|относно|主题|主旨|件名|제목|נושא|الموضوع|subjek|chủ đề|naslov",
        "reply-to": "reply-to|reply to|ответить|antwort an|répondre à|responder a|rispondi a|odpowiedź do|odpověď",
    }.items()
    for word in words.split("|")
}  # fmt: skip
_LABELLED: Final = re.compile(r"^[>|\s]*[*_]{0,2}([^\W\d_][^:：*\n]{0,24}?)\s{0,3}[*_]{0,2}\s?[:：]\s?[*_]{0,2}\s*(.*)$")
_ADDRESS: Final = re.compile(r"[\w.!#$%&'*+/=?^{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")

_TIME: Final = r"\d{1,2}[:.]\d{2}"
_DATE: Final = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\b(?:19|20)\d\d\b|\d{1,2}\.? ?(?:января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря|[a-zа-яё]{3,9})\b"
_WHEN: Final = re.compile(f"{_TIME}|{_DATE}", re.IGNORECASE)
_VERB: Final = re.compile(
    r"\b(?:wrote|writes|schrieb|geschrieben|a écrit|écrit|escribió|escribio|ha scritto|scrisse|escreveu|schreef|geschreven|napisał\(?a?\)?|pisze|napsala?|"
    r"napísala?|napsal\(a\)|skrev|kirjoitti|írta|ezt írta|yazdı|έγραψε|пишет|писала?|написала?|написал\(а\)|пише|написав|пишува|scris|a scris|kirjutas|rašė|je napisao|pisao)\b|"
    r"写道|寫道|のメッセージ|작성|написано|כתב",
    re.IGNORECASE,
)
#: Lines between two people's words.
SEPARATOR: Final = re.compile(
    r"^[>|\s]*(?:[-_=*–—]{2,}\s*)?(?:begin forwarded message|start of forwarded message|forwarded message|forwarded by|original message|original mail|original appointment|"
    r"исходное сообщение|оригинальное сообщение|пересылаемое сообщение|пересылаемое письмо|пересланное сообщение|пересланное письмо|перенаправленное сообщение|начало переадресованного сообщения|начало переадресованного|"
    r"конец пересылаемого сообщения|ursprüngliche (?:nachricht|mail|e-mail)|original-?nachricht|weitergeleitete (?:nachricht|mail)|anfang der weitergeleiteten|message d['’]origine|message original|message transféré|"
    r"début du message|mensaje original|mensaje reenviado|inicio del mensaje|messaggio originale|messaggio inoltrato|inizio messaggio|mensagem original|mensagem encaminhada|mensagem reencaminhada|início da mensagem|"
    r"oorspronkelijk bericht|doorgestuurd bericht|begin doorgestuurd|wiadomość (?:oryginalna|przekazana)|oryginalna wiadomość|przekazana wiadomość|treść przekazanej|původní zpráva|přeposlaná zpráva|začátek přeposlané|pôvodná správa|preposlaná správa|"
    r"videresendt melding|videresendt besked|opprinnelig melding|oprindelig (?:meddelelse|besked)|ursprungligt meddelande|originalmeddelande|vidarebefordrat|välitetty viesti|alkuperäinen viesti|"
    r"továbbított üzenet|eredeti üzenet|iletilen (?:mesaj|ileti)|iletilmiş|orijinal (?:mesaj|ileti)|προωθημένο μήνυμα|αρχικό μήνυμα|mesaj redirecționat|mesaj original|mesajul original|переслане повідомлення|оригінальне повідомлення|"
    r"proslijeđena poruka|izvorna poruka|edastatud kiri|algne kiri|转发(?:的)?邮件|转发的邮件|原始邮件|轉寄|原始郵件|転送|元のメッセージ|원본 메(?:시|세)지|전달된 메일|הודעה שהועברה)"
    r".{0,60}$",
    re.IGNORECASE,
)  # fmt: skip
#: That of these, which say that a mail is passed on and not answered.
PASSED_ON: Final = re.compile(
    r"forward|пересыл|пересл|перенаправ|переадрес|weitergeleitet|transf[eéè]r|transmis|reenv|inoltr|encaminh|doorgest|przekaz|přeposl|preposl|videresend|vidarebef|"
    r"välitet|továbbít|iletil|προωθ|redirec|proslije|edastat|转发|轉寄|転送|전달|הועברה",
    re.IGNORECASE,
)
_BETWEEN_DASHES: Final = re.compile(r"^[>|\s]*[-_=*–—]{3,}\s*[^\W\d_][^\n]{2,60}?\s*[-_=*–—]{3,}\s*$")
_DASHES: Final = re.compile(r"^[>|\s]*[-_=*–—]{3,}")


@dataclass(frozen=True, slots=True)
class Block:
    """A header block within the text. `email` and `name` are those of its sender; lines by number, `end` exclusive."""

    start: int
    end: int
    email: str
    name: str
    labels: int


def lines_of(text: str) -> list[str]:
    """At most a thousand, none long, runs of one sign shortened: what is beyond is read by nobody and costs no time."""
    clean = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " "))
    cut = [line[:_LINE_CHARS] for line in clean.split("\n", _SCANNED_LINES)[:_SCANNED_LINES]]
    return [_RUN.sub(r"\1\1\1\1", line) if len(line) > 80 else line for line in cut]


def label_of(line: str) -> tuple[str, str]:
    """(from | to | cc | date | subject | reply-to, value) or ("", "")."""
    if ":" not in line[:60] and "：" not in line[:60]:
        return "", ""
    found = _LABELLED.match(line[:400])
    role = _LABELS.get(" ".join(found[1].casefold().split()), "") if found else ""
    return (role, found[2].strip(" *_")) if found and role else ("", "")


def address_in(text: str) -> tuple[str, str]:
    """The first address and the name that stands before it."""
    found = _ADDRESS.search(text[:1_000])
    if found is None:
        return "", ""
    name = re.sub(r"(?:\[|<|\()?(?:mailto:)?$", "", text[: found.start()]).strip(" \t\"'<>[](),;*_«»“”")
    return found[0].strip("."), re.sub(r"\s+", " ", name)[:200]


def blocks_of(lines: Sequence[str]) -> list[Block]:
    """Three different labels within nine lines, the sender's among them, from the outermost on."""
    found: list[Block] = []
    at = 0
    while at < len(lines):
        role, _ = label_of(lines[at])
        if not role:
            at += 1
            continue
        block = _block_at(lines, at)
        if block is not None:
            found.append(block)
            at = block.end
        else:
            at += 1
    return found


def _block_at(lines: Sequence[str], start: int) -> Block | None:
    roles: set[str] = set()
    email, name = "", ""
    end, gap = start, 0
    for number in range(start, min(start + 14, len(lines))):
        role, value = label_of(lines[number])
        bare = lines[number].strip("> |\t")
        if not role:
            gap += 1
            # Values may be folded, and some programs put a blank line between two labels.
            if gap > (1 if not bare else 2):
                break
            continue
        if role in roles and role == "from":
            break
        gap = 0
        roles.add(role)
        end = number + 1
        if role == "from" and not email:
            email, name = address_in(value)
            for following in lines[number + 1 : number + 3] if not email else ():
                if label_of(following)[0]:
                    break
                email, _ = address_in(following)
                if email:
                    name = name or value
                    break
            name = name or (value if not email else "")
    if "from" not in roles or len(roles) < 3:
        return None
    return Block(start, end, email, name.strip(" \"'<>*_"), len(roles))


def attribution_at(lines: Sequence[str], at: int) -> tuple[int, str]:
    """(number of lines, the joined text) of "On …, somebody wrote:" that begins here; (0, "") if none does.

    Without languages: a date or time, an address and a colon at the end; where a verb of many languages is there, no address
    is needed; where a quotation follows, a date and one of the two."""
    joined = ""
    for count in range(1, 8):
        if at + count > len(lines):
            break
        line = lines[at + count - 1].strip()
        if not line.strip("> |"):
            # Some programs fold a link of the name over lines of its own: only where date stands and address lacks.
            if count == 1 or count > 4 or not _WHEN.search(joined) or not _STARTS.match(joined):
                break
            continue
        if count > 1 and label_of(line)[0] and "mailto" not in line:
            break
        joined = f"{joined} {line}".strip()
        if len(joined) > 320:
            break
        bare = joined.strip("> |*_")
        if count > 1 and not _OPENS.match(bare):
            break
        ends = bare.endswith((":", "："))
        dated = bool(_WHEN.search(bare))
        addressed = bool(_ADDRESS.search(bare))
        quoted = _is_quoted(lines, at + count)
        verb = _VERB.search(bare)
        if ends and (
            (dated and (addressed or verb)) or (addressed and verb) or _ENDS_IN_VERB.search(bare) or (quoted and (dated or verb))
        ):
            return count, bare
        if not dated or count > 4:
            continue
        if quoted and (addressed or (verb and _OPENS.match(bare))) and not bare.endswith((".", "!", "?")):
            return count, bare
        if addressed and verb:
            return count, bare
    return 0, ""


_STARTS: Final = re.compile(r"on |am |le |el |il |em |op |den |dne |w dniu |в ", re.IGNORECASE)
_ENDS_IN_VERB: Final = re.compile(rf"^[^.!?]{{3,120}}(?:{_VERB.pattern})\s*[:：]$", re.IGNORECASE)
_OPENS: Final = re.compile(
    r"(?:on|am|le|el|il|em|op|den|dne|w dniu|dnia|в|на|at|a|à|ons?|tir|fre|man|tor|lør|søn|mån|tis|lör|sön|\d|[<\"“«]|"
    r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|пн|вт|ср|чт|пт|сб|вс|lun|mar|mer|jeu|ven|sam|dim|mié|jue|vie|sáb|dom|gio|sab|ma|wo|vr|za|zo|pon|wt|śr|czw|pt|sob|niedz)\w*[.,]?\s|"
    r"(?:понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|пользователь))",
    re.IGNORECASE,
)


def _is_quoted(lines: Sequence[str], at: int) -> bool:
    for line in lines[at : at + 3]:
        if line.strip():
            return line.lstrip().startswith((">", "|"))
    return False


def is_separator(line: str) -> bool:
    """Words that are known for one, or such between dashes that something is passed on."""
    if len(line) >= 200:
        return False
    return SEPARATOR.match(line) is not None or (_BETWEEN_DASHES.match(line) is not None and PASSED_ON.search(line) is not None)


def is_rule(line: str) -> bool:
    """A line of dashes, as some programs draw before the header block."""
    return _DASHES.match(line) is not None
