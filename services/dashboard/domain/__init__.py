"""Rules of the dashboard: who may do what, how sessions end, how figures are said. Standard library only."""
