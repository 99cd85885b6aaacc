"""What outreach is about, without any input or output."""
