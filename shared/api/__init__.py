"""What the services' public APIs answer, as models shared by the service that answers and by those who ask."""
