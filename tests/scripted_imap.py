"""A mail server that follows a script: for the oddities that Dovecot does not have. Speaks just enough IMAP."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class ScriptedImap:
    """Serves `mails` (UID to raw) on 127.0.0.1. The switches below make it misbehave; change them at any time."""

    mails: dict[int, bytes]
    uidnext: int | None = None  # None: says none
    uidvalidity: int | None = 7
    unsorted: bool = False  # SEARCH answers backwards
    without_uid: bool = False  # FETCH rows lack the UID
    login: str = "OK signed in"
    fetch_error: str = ""  # e.g. "NO Request is throttled. Suggested Backoff Time: 5000 milliseconds"
    drop_at: set[int] = field(default_factory=set)  # the connection breaks off while this UID's body is sent
    silent: bool = False  # accepts and never speaks
    dates: dict[int, str] = field(default_factory=dict)  # raw INTERNALDATE of a UID, quotes included
    untold: dict[int, str] = field(default_factory=dict)  # UID → answer to a FETCH of its size or date; "": the connection ends
    unreadable: dict[int, str] = field(default_factory=dict)  # UID → answer to a FETCH of its body
    partial: bool = True  # False: BODY[]<0.n> is bad syntax
    hidden_once: bool = False  # the next FETCH of several bodies leaves one out
    commands: list[str] = field(default_factory=list)
    sessions: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Only shutdown wakes a thread that waits in accept or recv; close alone would leave it there.
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):  # closed by its peer already
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.sessions += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rwb") as line:
                if self.silent:
                    connection.recv(1)
                    return
                self._talk(line.readline, lambda data: (line.write(data), line.flush()))  # type: ignore[func-returns-value]
        except (OSError, ValueError):
            return  # the client went away

    def _talk(self, read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
        write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        while request := read():
            tag, _, command = request.decode().strip().partition(" ")
            self.commands.append(command)
            verb = command.upper()
            if verb.startswith("LOGIN"):
                write(f"{tag} {self.login}\r\n".encode())
            elif verb.startswith("LIST"):
                write(b'* LIST () "/" "INBOX"\r\n' + f"{tag} OK done\r\n".encode())
            elif verb.startswith("EXAMINE"):
                write(self._examined() + f"{tag} OK [READ-ONLY] done\r\n".encode())
            elif verb.startswith("UID SEARCH"):
                write(self._searched(verb) + f"{tag} OK done\r\n".encode())
            elif verb.startswith("FETCH"):
                at = int(verb.split()[1])
                uids = sorted(self.mails)
                row = f"* {at} FETCH (UID {uids[at - 1]})\r\n" if 0 < at <= len(uids) else ""
                write(f"{row}{tag} OK done\r\n".encode())
            elif verb.startswith("UID FETCH"):
                if not self.partial and "<0." in verb:
                    write(f"{tag} BAD unknown item\r\n".encode())
                elif "BODY" not in verb and (answers := [self.untold[uid] for uid in _uids(verb) if uid in self.untold]):
                    if not answers[0]:
                        return
                    write(f"{tag} {answers[0]}\r\n".encode())
                elif "BODY" in verb and (answers := [self.unreadable[uid] for uid in _uids(verb) if uid in self.unreadable]):
                    write(f"{tag} {answers[0]}\r\n".encode())
                elif self.fetch_error and "BODY" in verb:
                    write(f"{tag} {self.fetch_error}\r\n".encode())
                elif not self._fetch(verb, write):
                    return
                else:
                    write(f"{tag} OK done\r\n".encode())
            elif verb.startswith("LOGOUT"):
                write(f"* BYE\r\n{tag} OK bye\r\n".encode())
                return
            else:
                write(f"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n".encode())

    def _examined(self) -> bytes:
        text = f"* {len(self.mails)} EXISTS\r\n"
        if self.uidvalidity is not None:
            text += f"* OK [UIDVALIDITY {self.uidvalidity}] ok\r\n"
        if self.uidnext is not None:
            text += f"* OK [UIDNEXT {self.uidnext}] ok\r\n"
        return text.encode()

    def _searched(self, verb: str) -> bytes:
        found = sorted(self.mails, reverse=self.unsorted)
        span = re.search(r"UID (\d+):(\d+)", verb.removeprefix("UID SEARCH"))
        if span:
            found = [uid for uid in found if int(span[1]) <= uid <= int(span[2])]
        elif "UID *" in verb:
            found = [max(self.mails)] if self.mails else []
        return f"* SEARCH {' '.join(str(uid) for uid in found)}\r\n".encode()

    def _fetch(self, verb: str, write: Callable[[bytes], object]) -> bool:
        uids = _uids(verb)
        with_body = "BODY" in verb
        if with_body and self.hidden_once and len(uids) > 1:
            self.hidden_once = False
            uids = uids[1:]
        for sequence, uid in enumerate(sorted(self.mails), start=1):
            if uid not in uids:
                continue
            raw = self.mails[uid]
            name = "" if self.without_uid else f"UID {uid} "
            if not with_body:
                date = self.dates.get(uid, '"20-Nov-2026 10:00:00 +0300"')
                told = f" INTERNALDATE {date}" if "INTERNALDATE" in verb else ""
                write(f"* {sequence} FETCH ({name}RFC822.SIZE {len(raw)}{told})\r\n".encode())
                continue
            header = "HEADER" in verb
            if uid in self.drop_at and not header:
                write(f"* {sequence} FETCH ({name}BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw[: len(raw) // 2])
                return False
            raw = raw.split(b"\r\n\r\n")[0] + b"\r\n\r\n" if header else raw
            item = "BODY[HEADER]" if header else "BODY[]<0>" if "<0." in verb else "BODY[]"
            write(f"* {sequence} FETCH ({name}{item} {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
        return True


def _uids(verb: str) -> list[int]:
    return [int(number) for number in verb.split()[2].split(",")]
