"""What is judged without a network: addresses, outcomes, chat messages."""
