"""Who may call: shared keys on the data plane, bearer tokens on both."""
