"""The addresses that need no sign-in. Everything else is refused to strangers; a test walks every address there is."""

PUBLIC_ROUTES = frozenset(
    {
        "healthz",
        "readyz",
        "account_login",
        "account_logout",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "account_inactive",
        "mfa_authenticate",
        "api-not-found",
        "people:preferences",
    }
)
