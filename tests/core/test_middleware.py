import gzip

import pytest
from django.test import Client

from tests.people.factories import Cast

pytestmark = pytest.mark.django_db


def test_nul_characters_reach_no_database(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.portal_admin, backend="allauth.account.auth_backends.AuthenticationBackend")
    for address in ("/audit/?action=%00", "/operations/?q=a%00b", "/people/?q=%00", "/api/v1/accounts?page=%00"):
        assert client.get(address).status_code in {200, 404}, address
    for address in ("/batch/local%00/", "/batch/local/applications/a%00b/", "/api/v1/accounts/local/applications/%00"):
        assert client.get(address).status_code == 404, address


def test_pages_go_out_compressed_and_nothing_else_does(cast: Cast) -> None:
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(cast.portal_admin, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get("/audit/")
    assert page["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in page["Vary"]
    assert gzip.decompress(page.content).lstrip().startswith(b"<!DOCTYPE html>")
    assert "Content-Encoding" not in client.get("/api/schema/")
