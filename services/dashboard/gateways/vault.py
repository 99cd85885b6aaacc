"""Encryption of people's API keys at rest, each bound to its person."""

from shared import vault


class Vault(vault.Vault):
    """The vault for the dashboard's secrets."""

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        super().__init__(secret_keys, "tellback.dashboard.keys")
