"""`leadhub up` and the single roles. Each role imports only what it runs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from leadhub.cli.answers import answers, read_config


@click.command()
@click.option("--logs", is_flag=True, help="Also show every line of every process, with its name in front.")
@answers
def up(logs: bool, as_json: bool) -> None:
    """Run everything on this machine, in the foreground.

    Starts PostgreSQL and Valkey of its own unless LEADHUB_DATABASE_URL and LEADHUB_BROKER_URL name others, brings the
    schema up to date, runs web, worker, beat and mail, restarts whatever dies, and ends it all at Ctrl-C or SIGTERM.
    """
    from leadhub import settings
    from leadhub.up import up as run

    run(settings.read(os.environ, Path.cwd()), click.echo, echo=logs, as_json=as_json)


@click.command()
@answers
def web(as_json: bool) -> None:
    """Run the web server: entrances, API, console."""
    del as_json
    from leadhub.home import create_privately
    from leadhub.serving import serve

    create_privately()
    serve(read_config)


@click.command()
@answers
def worker(as_json: bool) -> None:
    """Run the Celery worker that turns events into leads."""
    del as_json
    from leadhub.home import create_privately
    from leadhub.logs import keep_celery_log
    from leadhub.serving import bind_children
    from workers.run import run_worker

    create_privately()
    keep_celery_log()
    bind_children()
    run_worker(read_config())


@click.command()
@answers
def beat(as_json: bool) -> None:
    """Run the schedule: sweeps and canaries."""
    del as_json
    from leadhub.home import create_privately
    from leadhub.logs import keep_celery_log
    from workers.run import run_beat

    create_privately()
    keep_celery_log()
    run_beat(read_config())


@click.command()
@answers
def mail(as_json: bool) -> None:
    """Run the reader of the mailboxes."""
    del as_json
    import signal
    import threading

    from ingest.mailbox import run
    from leadhub.home import create_privately
    from leadhub.logs import keep_log
    from workers.wake import Waker

    create_privately()
    keep_log()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    config = read_config()
    run(config, stop, Waker(config).wake)
