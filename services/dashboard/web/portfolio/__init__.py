"""The first page: how the portfolio stands, who moved, what waits, and where nobody listens."""
