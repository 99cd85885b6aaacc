"""What browsers load from the collector: the snippet that posts responses."""
