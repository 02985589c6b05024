"""People, teams, roles, tokens: who may do what."""

from django.urls import path

from apps.people.views import people, profile, roles, teams, tokens

app_name = "people"

urlpatterns = [
    path("", people.UserListView.as_view(), name="users"),
    path("new/", people.UserNewView.as_view(), name="user-new"),
    path("<int:person>/", people.UserView.as_view(), name="user"),
    path("<int:person>/deactivate/", people.UserDeactivateView.as_view(), name="user-deactivate"),
    path("<int:person>/activate/", people.UserActivateView.as_view(), name="user-activate"),
    path("<int:person>/unlock/", people.UserUnlockView.as_view(), name="user-unlock"),
    path("<int:person>/second-factor/", people.UserSecondFactorView.as_view(), name="user-second-factor"),
    path("<int:person>/password-link/", people.UserPasswordLinkView.as_view(), name="user-password-link"),
    path("teams/", teams.TeamListView.as_view(), name="teams"),
    path("teams/new/", teams.TeamNewView.as_view(), name="team-new"),
    path("teams/<slug:team>/", teams.TeamView.as_view(), name="team"),
    path("teams/<slug:team>/members/add/", teams.TeamMemberAddView.as_view(), name="team-member-add"),
    path(
        "teams/<slug:team>/members/<int:person>/remove/",
        teams.TeamMemberRemoveView.as_view(),
        name="team-member-remove",
    ),
    path("teams/<slug:team>/tokens/new/", tokens.TeamTokenNewView.as_view(), name="team-token-new"),
    path("teams/<slug:team>/delete/", teams.TeamDeleteView.as_view(), name="team-delete"),
    path("roles/<slug:account>/", roles.RolesView.as_view(), name="roles"),
    path("roles/<slug:account>/add/", roles.RoleAddView.as_view(), name="role-add"),
    path("roles/<slug:account>/<int:grant>/", roles.RoleChangeView.as_view(), name="role-change"),
    path("roles/<slug:account>/<int:grant>/remove/", roles.RoleRemoveView.as_view(), name="role-remove"),
    path("me/", profile.ProfileView.as_view(), name="profile"),
    path("me/preferences/", profile.PreferencesView.as_view(), name="preferences"),
    path("me/sessions/end/", profile.SessionsEndView.as_view(), name="sessions-end"),
    path("tokens/", tokens.TokenListView.as_view(), name="tokens"),
    path("tokens/new/", tokens.TokenNewView.as_view(), name="token-new"),
    path("tokens/<int:token>/revoke/", tokens.TokenRevokeView.as_view(), name="token-revoke"),
]
