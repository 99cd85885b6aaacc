"""What alerting says to the outside: signed webhooks, through one guarded HTTP client."""
