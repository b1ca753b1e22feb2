"""The Applications page's address says everything that is on it."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from gitops_workers.console.listing import PAGE, application_path, parse


def listing(address: str):
    return parse(lambda name: dict(parse_qsl(address.lstrip("?"))).get(name, ""))


def test_an_address_reads_back_as_itself():
    address = "?text=a+b%26c&sync=OutOfSync&cluster=eu&sort=age&descending=1&page=3"
    page = listing(address)
    assert page.address(page=page.page) == address
    assert (page.query.text, page.query.offset, page.query.limit) == ("a b&c", 2 * PAGE, PAGE)


def test_a_new_filter_begins_at_the_first_page():
    assert listing("?page=7&sync=Synced").address(sync="Unknown") == "?sync=Unknown"


def test_a_column_is_sorted_and_then_the_other_way():
    assert listing("").sorted_by("health") == "?sort=health"
    assert listing("?sort=health").sorted_by("health") == "?sort=health&descending=1"
    assert listing("?sort=health&descending=1").sorted_by("health") == "?sort=health"


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "٣", "99999999999999999999", "", "1e9"])
def test_no_page_is_the_first_page(page):
    assert listing(f"?page={page}").page == 1


def test_an_unknown_order_and_none_put_trouble_first():
    for address in ("?sort=__class__", ""):
        assert listing(address).query.sort == "trouble"


@pytest.mark.parametrize("name", ["sync", "health", "dialect", "outcome"])
def test_a_word_that_no_application_can_have_filters_nothing(name):
    assert not listing(f"?{name}=synced").filtered


def test_long_filters_are_cut():
    assert len(listing("?text=" + "a" * 5_000).query.text) == 253


@pytest.mark.parametrize(("total", "pages"), [(0, 1), (1, 1), (50, 1), (51, 2), (1_200, 24)])
def test_pages_are_counted(total, pages):
    assert listing("").pages(total) == pages


def test_an_id_keeps_its_slashes_and_nothing_else():
    assert application_path("application/argocd/a") == "/application/application/argocd/a"
    assert application_path('a"><b?#') == "/application/a%22%3E%3Cb%3F%23"
