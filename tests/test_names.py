"""What sites and apps are called: registrable domains, and identities as operating systems have them."""

import builtins
from typing import Any

import pytest

from ipa.client.user_agent import EmbeddingApp
from ipa.errors import ParameterError
from ipa.names import (
    by_public_suffix_list,
    check_identifier,
    check_site,
    host_itself,
    is_identifier,
    site_of,
)


def last_two_labels(host: str) -> str | None:
    labels = host.split(".")
    return ".".join(labels[-2:]) if len(labels) > 1 else None


def test_hosts_of_one_domain_are_one_site_and_by_default_they_are_not() -> None:
    hosts = ("a.example", "www.a.example", "shop.a.example", "x.y.a.example")
    assert {site_of(host, last_two_labels) for host in hosts} == {"a.example"}
    assert [site_of(host) for host in hosts] == list(hosts)
    assert host_itself("www.a.example") == "www.a.example"


def test_registrable_domains_by_the_public_suffix_list() -> None:
    pytest.importorskip("publicsuffixlist")
    registrable_domain = by_public_suffix_list()
    for host, site in (
        ("www.amazon.co.uk", "amazon.co.uk"),
        ("a.b.c.shop.example", "shop.example"),
        ("someone.github.io", "someone.github.io"),
        ("x.someone.github.io", "someone.github.io"),
        ("x.city.kobe.jp", "city.kobe.jp"),
        ("www.bücher.de", "bücher.de"),
        ("www.中国.cn", "中国.cn"),
        ("192.0.2.1", "192.0.2.1"),
        ("app:com.example.App", "app:com.example.App"),
    ):
        assert site_of(host, registrable_domain) == site
        assert site_of(site, registrable_domain) == site
        check_site("site", site, registrable_domain)
    for host in ("co.uk", "github.io", "localhost", "example"):
        with pytest.raises(ParameterError, match=f"^{host} is no site: it is a public suffix"):
            site_of(host, registrable_domain)


def test_the_public_suffix_list_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    importing = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "publicsuffixlist":
            raise ImportError
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ParameterError, match=r"pip install 'ipa-reference\[sites\]'"):
        by_public_suffix_list()


@pytest.mark.parametrize(
    "name",
    [
        "shop.example.",  # another spelling of the same host
        "a..example",
        "shop.example:443",
        "https://shop.example",
        "shop.example/cart",
        "x[/y]",
        "1.2.3",
        "1.2.3.256",
        "xn--bcher-kva.example",  # bücher.example
        "www.xn--bcher-kva.example",
    ],
)
def test_a_site_is_a_host_in_its_one_spelling(name: str) -> None:
    with pytest.raises(ParameterError, match="a site must be a host"):
        site_of(name)


@pytest.mark.parametrize("name", ["", "Shop.example", "a b", "app:", "app:com.facebook/x", 7, None])
def test_a_site_has_a_name_first(name: Any) -> None:
    with pytest.raises(ParameterError, match=r"^a site must be 1 to 255 bytes"):
        site_of(name)
    with pytest.raises(ParameterError, match=r"^--site must be 1 to 255 bytes"):
        check_site("--site", name)


def test_only_a_registrable_domain_is_a_site() -> None:
    check_site("site", "a.example", last_two_labels)
    check_site("site", "www.a.example")
    with pytest.raises(
        ParameterError, match=r"^site must be a registrable domain: a\.example, not "
    ):
        check_site("site", "www.a.example", last_two_labels)


def test_a_function_cannot_give_a_host_to_another_domain() -> None:
    for wrong in ("b.example", "ample", "ww.a.example"):
        with pytest.raises(ParameterError, match="is not in the registrable domain"):
            site_of("www.a.example", lambda host, wrong=wrong: wrong)  # type: ignore[misc]
    with pytest.raises(ParameterError, match="a registrable domain must be"):
        site_of("www.a.example", lambda host: "A.example")


@pytest.mark.parametrize(
    "identity", ["com.Facebook.Katana", "com.example.my_app", "com.example.my-app", "A", "9x"]
)
def test_an_app_is_called_as_its_operating_system_calls_it(identity: str) -> None:
    assert EmbeddingApp(identity, reads_content=True).identity == identity
    check_identifier("site", f"app:{identity}")
    assert site_of(f"app:{identity}", last_two_labels) == f"app:{identity}"


@pytest.mark.parametrize(
    "identity", ["", ".com", "-com", "_com", "com.é", "com a", "app:com.x", "com.x\n", "x" * 252]
)
def test_what_is_no_identity_of_an_app(identity: str) -> None:
    with pytest.raises(ParameterError, match="an app's identity must be 1 to 251 ASCII letters"):
        EmbeddingApp(identity, reads_content=True)
    assert not is_identifier(f"app:{identity}")


def test_the_longest_identity_and_capitals_elsewhere() -> None:
    assert is_identifier("app:" + "x" * 251)
    assert not is_identifier("com.Facebook.Katana")
    assert not is_identifier("App:com.Facebook.Katana")
    assert not is_identifier("x.app:com.Facebook.Katana")
