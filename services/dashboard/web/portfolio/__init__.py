"""The first page: the state of the portfolio, changes of people, open work, and gaps of coverage."""
