"""A plain recomputation of every figure, straight from the definitions, slow and without any code of the
scorer.

It looks at a whole `World` for each question. Where the scorer and this disagree, one of them is wrong.
"""
