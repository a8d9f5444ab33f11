"""A throw-away Dovecot: any user name is a mailbox, nothing outside its temporary directory is touched.

Works as root (mail processes run as user `mail`) and as an ordinary user. Needs the binaries `dovecot` and `doveadm`
of the Debian package dovecot-imapd and fails with a sentence when they are missing; it never skips.
"""

from __future__ import annotations

import getpass
import grp
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

#: Debian installs both into /usr/sbin and /usr/bin; an ordinary user's PATH often lacks the first.
_SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin"

#: The syntax of Dovecot 2.3 (Debian 12). Each setting stands on its own line, as its parser wants.
_CONF_23 = """
base_dir = {top}/base
state_dir = {top}/base
log_path = {top}/dovecot.log
info_log_path = {top}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
auth_failure_delay = 0
{identity}
first_valid_uid = 1
mail_location = maildir:{top}/mail/%u
mail_uid = {user}
mail_gid = {group}
mail_privileged_group =
mail_max_userip_connections = {connections}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={top}/mail/%u
}}
service imap-login {{
  {chroot}
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
# No growing pause, up to 15 s for everybody of an address, after wrong passwords: they are tried on purpose here.
service anvil {{
  {chroot}
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  {chroot}
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
"""

#: The same for Dovecot 2.4 (Debian 13), which renamed most settings.
_CONF_24 = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = {top}/base
state_dir = {top}/base
log_path = {top}/dovecot.log
info_log_path = {top}/dovecot.log
protocols {{
  imap = yes
}}
listen = 127.0.0.1
ssl = {ssl}
{certificate}
auth_allow_cleartext = yes
auth_failure_delay = 0
{identity}
first_valid_uid = 1
mail_driver = maildir
mail_path = {top}/mail/%{{user}}
mail_uid = {user}
mail_gid = {group}
mail_max_userip_connections = {connections}
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {user}
    gid = {group}
    home = {top}/mail/%{{user}}
  }}
}}
service imap-login {{
  {chroot}
  inet_listener imap {{
    listen = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    listen = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  {chroot}
}}
service stats {{
  {chroot}
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
"""


class DovecotMissing(RuntimeError):
    """The binaries are not installed; the message says what to install."""


@dataclass
class Dovecot:
    """A running server. `password` is right for every user, every other one is wrong."""

    top: Path
    port: int
    tls_port: int  # 0 without TLS
    password: str
    process: subprocess.Popen[bytes]
    host: str = "127.0.0.1"

    @property
    def certificate(self) -> Path:
        return self.top / "cert.pem"

    def settings(self, user: str, **more: object) -> dict[str, object]:
        """The settings of a mailbox source for this user, as `leadhub source add imap --set …` takes them."""
        return {
            "host": self.host, "port": self.port, "user": user, "password": self.password, "security": "plain",
            "start": "all", **more,
        }  # fmt: skip

    def login(self, user: str) -> imaplib.IMAP4:
        client = imaplib.IMAP4(self.host, self.port, timeout=20)
        client.login(user, self.password)
        return client

    def append(self, user: str, raw: bytes, folder: str = "INBOX", at: float | None = None) -> None:
        """Puts one mail into a folder; `at` is its INTERNALDATE in epoch seconds."""
        self.append_many(user, [raw], folder, at)

    def append_many(self, user: str, mails: list[bytes], folder: str = "INBOX", at: float | None = None) -> None:
        client = self.login(user)
        try:
            when = imaplib.Time2Internaldate(time.time() if at is None else at)
            for raw in mails:
                typ, data = client.append(folder, "", when, raw)
                if typ != "OK":
                    raise RuntimeError(f"append to {folder}: {typ} {data!r}")
        finally:
            client.logout()

    def doveadm(self, *arguments: str) -> str:
        command = [_binary("doveadm"), "-c", str(self.top / "dovecot.conf"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"doveadm {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def set_uidvalidity(self, user: str, value: int, folder: str = "INBOX") -> None:
        """Keeps the UIDs and changes the folder's validity, as a restored or migrated mailbox does."""
        self.doveadm("mailbox", "update", "-u", user, "--uid-validity", str(value), folder)

    def sessions(self, user: str) -> list[int]:
        """Process ids of the user's IMAP sessions, for kill, stop and continue."""
        lines = self.doveadm("who", "-1", user).splitlines()[1:]
        return [int(word) for line in lines for word in line.split() if word.isdigit() and int(word) > 1]

    def signal_sessions(self, user: str, number: int = signal.SIGKILL) -> int:
        pids = self.sessions(user)
        for pid in pids:
            os.kill(pid, number)
        return len(pids)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        shutil.rmtree(self.top, ignore_errors=True)


def _binary(name: str) -> str:
    found = shutil.which(name, path=_SEARCH)
    if found is None:
        raise DovecotMissing(
            f"The program {name} is missing. Install the mail server that the mail tests and the demo talk to: "
            "apt-get install -y --no-install-recommends dovecot-imapd"
        )
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configuration(top: Path, port: int, tls_port: int, password: str, connections: int, version: str) -> str:
    """The text of dovecot.conf for this version ("2.3.…" or "2.4.…") and the user who starts it."""
    new = not version.startswith(("2.2", "2.3"))
    if os.geteuid() == 0:
        user, group, identity, chroot = "mail", "mail", "", ""
        identity = "default_internal_user = dovecot\ndefault_login_user = dovenull"
    else:
        user = getpass.getuser()
        group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
        identity = f"default_internal_user = {user}\ndefault_login_user = {user}\ndefault_internal_group = {group}"
        chroot = "chroot ="
    certificate = ""
    if tls_port:
        names = ("ssl_server_cert_file", "ssl_server_key_file") if new else ("ssl_cert", "ssl_key")
        mark = "" if new else "<"
        certificate = f"{names[0]} = {mark}{top}/cert.pem\n{names[1]} = {mark}{top}/key.pem"
    return (_CONF_24 if new else _CONF_23).format(
        top=top, port=port, tls_port=tls_port, password=password, connections=connections, user=user, group=group,
        identity=identity, chroot=chroot, certificate=certificate, ssl="yes" if tls_port else "no",
    )  # fmt: skip


def start(password: str = "secret", connections: int = 50, tls: bool = False) -> Dovecot:  # noqa: S107 - it guards nothing but itself
    """Starts one and waits until it greets. `connections` is the limit per user and address; the next gets [LIMIT].

    With `tls` a self-signed certificate for 127.0.0.1 is made with the openssl command; it is then both the
    certificate and the authority to trust.
    """
    dovecot = _binary("dovecot")
    _binary("doveadm")
    # Short path: the server's UNIX sockets live below it, and their names end at 108 bytes.
    top = Path(tempfile.mkdtemp(prefix="lhdc-", dir="/tmp"))
    top.chmod(0o755)
    (top / "mail").mkdir()
    if os.geteuid() == 0:
        shutil.chown(top / "mail", "mail", "mail")
    if tls:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(top / "key.pem"), "-out", str(top / "cert.pem")],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
    version = subprocess.run([dovecot, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    for _ in range(5):  # the free port may be taken by a neighbour before the server binds it
        port, tls_port = free_port(), free_port() if tls else 0
        (top / "dovecot.conf").write_text(configuration(top, port, tls_port, password, connections, version))
        with (top / "start.log").open("wb") as log:
            process = subprocess.Popen(
                [dovecot, "-F", "-c", str(top / "dovecot.conf")], stdout=log, stderr=log, start_new_session=True
            )
        server = Dovecot(top, port, tls_port, password, process)
        if _greets(server):
            return server
        if process.poll() is None:
            process.kill()
        process.wait(10)
    said = "".join(
        (top / name).read_text(errors="replace")[-2000:] for name in ("start.log", "dovecot.log") if (top / name).exists()
    )
    shutil.rmtree(top, ignore_errors=True)
    raise RuntimeError(f"Dovecot {version.strip()} did not start: {said}")


def _greets(server: Dovecot) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with socket.create_connection((server.host, server.port), timeout=5) as probe:
                if probe.recv(4) == b"* OK":
                    return True
        except OSError:
            time.sleep(0.05)
    return False
