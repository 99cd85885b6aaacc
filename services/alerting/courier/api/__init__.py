"""HTTP in: endpoints and their deliveries."""
