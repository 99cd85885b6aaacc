"""Asks customers: surveys, whom they go to and when, links, mails, and the pages on which people answer."""
