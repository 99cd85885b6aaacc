"""What the API reads: answers chosen and counted by PostgreSQL, figures made of the counts by the domain.

Every function takes the caller's `owner_email`; None means all accounts, else the accounts of this owner are
the only ones there are.
"""
