"""HTTP in: the routes of the scorer and the bodies of their answers."""
