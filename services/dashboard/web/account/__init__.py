"""The pages of one account and of one person there."""
