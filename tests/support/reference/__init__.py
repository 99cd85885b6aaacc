"""A plain recomputation of every figure from the definitions: slow, and without any code of the scorer.

It goes through a whole `World` for each question. Where the scorer and this reference disagree, one of them is wrong.
"""
