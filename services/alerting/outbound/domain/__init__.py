"""What needs no network: which addresses are allowed, outcomes of requests, chat messages."""
