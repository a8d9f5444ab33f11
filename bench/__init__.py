"""The performance table: the product and its baselines, measured in the same run, judged by ratios.

`python -m bench [--quick] [--only NAME] [--json FILE]`. Nothing here is part of the product, and nothing is asked of a
machine but Python: PostgreSQL and Valkey come out of the same wheels as in `leadhub up`, with its settings.
"""

from bench.run import main

__all__ = ["main"]
