"""Settings: the pages of those who run Tellback."""
