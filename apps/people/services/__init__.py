"""What can be done to people, teams, roles and tokens. Each function is one action, checked and written down."""
