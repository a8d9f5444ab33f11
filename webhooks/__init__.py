"""Everything that speaks HTTP: entrances, REST API, console, metrics, health. Flask lives only here."""
