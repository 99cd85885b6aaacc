"""The pages on which people answer, behind links with tokens: no key, no cookie, no script."""
