"""The rules of alerting: pure functions and frozen values, standard library only."""
