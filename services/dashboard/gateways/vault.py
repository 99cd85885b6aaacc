"""Encryption of people's API keys at rest, each bound to its person."""

from shared import vault

PEOPLE = "tellback.dashboard.keys"
"""What the vault is for."""


class Vault(vault.Vault):
    """The vault for the dashboard's secrets."""

    def __init__(self, ring: tuple[str, ...]) -> None:
        super().__init__(ring, PEOPLE)
