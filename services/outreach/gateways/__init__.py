"""The other services, as outreach asks them."""
