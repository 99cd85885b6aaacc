"""Rules of surveys, answers and tokens as pure functions and frozen dataclasses; no IO."""
