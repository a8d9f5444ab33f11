"""Robots' mails from a real server, through two mailboxes and two workers at once: every visitor is a contact of their own."""

from __future__ import annotations

import random
import threading

import pytest
import robot_mails
from dovecot import Dovecot
from mailbox_bench import make_bench
from sqlalchemy import Engine, text

from crm_core.base.config import HubConfig
from ingest.processing.process import Processor


@pytest.mark.parametrize("seed", [1, 2])
def test_every_visitor_of_every_program_is_one_contact(
    engine: Engine, config: HubConfig, mail_server: Dovecot, mail_user: str, seed: int
) -> None:
    """Shuffled, and each mail in both mailboxes; `own_addresses` names what the templates call ours."""
    kinds = [kind for kind, robot in robot_mails.ROBOTS.items() if robot.says("email") or robot.says("phone")]
    visitors = {
        (kind, n): robot_mails.Visitor(
            f"{'Olga' if n == 0 else 'Pavel'} {kind.replace('_', ' ').title().replace(' ', '')}", f"+7 912 34{n}-{10 + at}-05",
            f"{kind.replace('_', '-')}-{n}@client.example", f"Question {at} {n}",
        )
        for at, kind in enumerate(kinds) for n in (0, 1)
    }  # fmt: skip
    mails = [robot_mails.mail(kind, visitor, n) for (kind, n), visitor in visitors.items()]
    random.Random(seed).shuffle(mails)
    benches = []
    for user in (mail_user, f"{mail_user}-info"):
        mail_server.append_many(user, mails)
        settings = {**mail_server.settings(user), "own_addresses": ("sales@hub.example",)}
        benches.append(make_bench(engine, config, settings))
    try:
        start = threading.Barrier(2)

        def work() -> None:
            processor = Processor(config)
            start.wait()
            try:
                while processor.drain("mail").finished:
                    pass
            finally:
                processor.close()

        for bench in benches:
            assert bench.poll().state == "live"
        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        work_rest = Processor(config)
        while work_rest.drain("mail").finished:
            pass
        work_rest.close()
    finally:
        for bench in benches:
            bench.close()
    with engine.connect() as connection:
        waiting = connection.scalar(text("SELECT count(*) FROM inbound_event WHERE state <> 'done'"))
        leads = connection.scalar(text("SELECT count(*) FROM lead"))
        found = connection.execute(text(
            "SELECT c.id, array_agg(i.value ORDER BY i.value) AS keys FROM contact c JOIN contact_identifier l ON l.contact_id = c.id"
            " JOIN identifier i ON i.id = l.identifier_id GROUP BY c.id"
        )).all()  # fmt: skip
    assert (waiting, leads) == (0, len(visitors))
    wanted = []
    for (kind, _), visitor in visitors.items():
        robot = robot_mails.ROBOTS[kind]
        keys = ([visitor.number] if robot.says("phone") else []) + ([visitor.email] if robot.says("email") else [])
        keys += [f"{visitor.email.replace('@', '-')}@convo.zillow.com"] if kind == "zillow" else []
        wanted.append(sorted(keys))
    assert sorted(sorted(keys) for _, keys in found) == sorted(wanted)
