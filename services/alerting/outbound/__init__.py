"""The way out to addresses that users gave: checked, bounded, and with secrets that are sealed at rest."""
