"""The loop that sends, and the lanes it holds work in."""
