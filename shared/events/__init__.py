"""Versioned event models: the contracts between the services, and the envelope that carries them."""
