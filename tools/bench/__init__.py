"""`accuracy`, `speed` and `pipeline` measure what README says: one table each, in docs/measured."""
