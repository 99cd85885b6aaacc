"""HTTP in: the routes of the collector and the bodies of their answers."""
