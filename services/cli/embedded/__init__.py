"""The real Apache Kafka and the real PostgreSQL on this machine, as children of whoever starts them."""
