"""The services of Tellback, one package each, and `cli`, the front door."""
