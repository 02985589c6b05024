"""The addresses that need no sign-in. Anything else is refused to strangers; tests/core walks the live URL configuration."""

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
