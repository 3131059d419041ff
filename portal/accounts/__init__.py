"""People and companies that sign in: accounts, roles, sessions, mailed links."""
