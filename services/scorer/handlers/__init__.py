"""What the scorer does with each kind of event: one transaction a batch, one verdict a record."""
