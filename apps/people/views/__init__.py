"""Pages of people, teams, roles and tokens."""
