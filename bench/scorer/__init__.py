"""How fast the scorer folds responses into PostgreSQL, and how soon a score can be read.

`load.py` fills a topic, `cases.py` says what is run over it, `fold.py` measures and prints, `child.py` is what the
baselines run in, `peers.py` runs other stream processors, `freshness.py` times an answer from its 202 to its score.
"""
