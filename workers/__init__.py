"""When and how often work is done: the Celery app, short tasks, the schedule. Celery lives only here."""
