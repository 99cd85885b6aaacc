"""What a process tells about itself: structured logs and metrics, never the content of what people said."""
