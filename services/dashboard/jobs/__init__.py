"""Background jobs of the pages: notice changes, and have the open pages load them."""
