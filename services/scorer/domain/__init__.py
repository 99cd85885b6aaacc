"""The rules of scoring as pure functions: no I/O, no clock, standard library only."""
