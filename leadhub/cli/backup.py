"""`leadhub backup` and `leadhub restore`: the whole hub into a directory, and back."""

from __future__ import annotations

import os
from pathlib import Path

import click

from leadhub.cli.answers import answers, tell


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--without-key", is_flag=True, help="Leave the hub's key out; keep it elsewhere, or its secrets are lost.")
@answers
def backup(directory: Path, without_key: bool, as_json: bool) -> None:
    """Save the whole hub into DIR, which is made, while it runs or while it is stopped.

    Everything acknowledged before the moment that is named in the answer is in it: database, contents of files, the key.
    Nothing is stopped for it. Whoever can read DIR can read everything: keep it as you keep the hub.
    """
    from leadhub import settings
    from leadhub.backup.save import save
    from leadhub.backup.server import reached
    from leadhub.home import create_privately

    create_privately()
    with reached(settings.read(os.environ, Path.cwd())) as found:
        saved = save(found.config, directory.resolve(), with_key=not without_key)
    amount = f"{saved.events} events, {saved.contacts} contacts, {saved.files} files, {saved.bytes / 1e6:.1f} MB"
    words = [f"Saved in {saved.backup}: {amount}, as of {saved.taken_at}."]
    if saved.missing_files:
        words.append(f"{saved.missing_files} files that are named were not on the disk, or damaged there.")
    if saved.has_key:
        words.append("The key is in it: whoever can read this directory can read everything. It is closed to all but its owner.")
    else:
        words.append("The key is NOT in it. Keep secret_key (or LEADHUB_SECRET_KEY) elsewhere: secrets do not open without it.")
    tell(saved.as_dict(), as_json=as_json, words="\n".join(words))


@click.command()
@click.argument("directory", metavar="DIR", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--replace", "replaces", is_flag=True, help="Take the place of what this hub has now.")
@click.option(
    "--erasures", multiple=True, metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another list of erasures (erasures.log of a home that was lost) to be repeated too.",
)  # fmt: skip
@click.option("--drop", metavar="NAME", help="Instead: drop the database that an earlier restore has kept under that name.")
@answers
def restore(
    directory: Path | None, replaces: bool, erasures: tuple[Path, ...], drop: str | None, as_json: bool
) -> None:  # fmt: skip
    """Bring back what `leadhub backup` saved in DIR.

    Sums are checked first, then everything is read into a database of its own, brought to this version's schema, and takes
    the place of the present one at the end: what fails before leaves all as it was. Persons erased since are erased again.
    """
    from leadhub import settings
    from leadhub.backup.restore import restore as run
    from leadhub.backup.server import reached
    from leadhub.backup.swap import drop_kept
    from leadhub.home import create_privately

    create_privately()
    if (directory is None) == (drop is None):
        raise click.UsageError("Name the directory of a backup, or with --drop a database that was kept.")
    read = settings.read(os.environ, Path.cwd())
    if directory is None:
        with reached(read) as found:
            drop_kept(found, str(drop))
        tell({"dropped": drop}, as_json=as_json, words=f"{drop} is dropped.")
        return
    with reached(read) as found:
        done = run(read, found, directory.resolve(), replaces=replaces, erasures=erasures)
    words = [
        f"Restored as of {done.taken_at}: {done.events} events, {done.contacts} contacts, {done.files} files.",
        f"{done.erasures_repeated} erasures made since were repeated.",
        (
            f"Everybody signs in anew. Kept as they are now: {done.users_as_now} users, {done.tokens_revoked} revoked tokens. Whatever"
            " else was withdrawn since the backup is as it was then: look at `leadhub user list` and `leadhub token list`."
        ),
    ]
    if done.missing_files:
        words.append(f"{done.missing_files} files that are named are in neither the backup nor the home.")
    if done.kept_as:
        words.append(
            f"What was there before is kept as the database {done.kept_as}; `leadhub restore --drop {done.kept_as}` drops it."
        )
    tell(done.as_dict(), as_json=as_json, words="\n".join(words))
