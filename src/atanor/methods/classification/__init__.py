"""A head for a role's classes on a base: what it is, how it is trained, how it answers."""
