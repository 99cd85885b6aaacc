"""The way out to addresses that users gave: judged, bounded, and with secrets that are sealed at rest."""
