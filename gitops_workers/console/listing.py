"""The Applications page's address: which rows it names, and the addresses of the pages next to it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from gitops_workers.ports import StatusQuery
from gitops_workers.services.listing import WORDS, Sort

PAGE = 50
"""Rows of one page: what a person scans, and 100 KB of HTML."""

SORTS = tuple(Sort)
"""The first is the order of an address that names none."""
_FIELDS = ("text", "sync", "health", "cluster", "project", "dialect", "outcome")


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of applications as its address says."""

    query: StatusQuery
    page: int

    def address(self, **changes: object) -> str:
        """The query string of a page that differs from this one; a new filter or order begins at the first page."""
        page = int(str(changes.pop("page", 1)))
        query = replace(self.query, **changes)  # type: ignore[arg-type]  # only fields of the query are passed
        values = {name: value for name in _FIELDS if (value := getattr(query, name))}
        if query.failing:
            values["failing"] = "1"
        if query.sort != SORTS[0]:
            values["sort"] = query.sort
        if query.descending:
            values["descending"] = "1"
        if page > 1:
            values["page"] = str(page)
        return "?" + urlencode(values)

    def sorted_by(self, column: str) -> str:
        """The address with this order, or with the reverse of it when it is the order already."""
        return self.address(sort=column, descending=self.query.sort == column and not self.query.descending)

    def pages(self, total: int) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-total // self.query.limit))

    @property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return self.query.failing or any(getattr(self.query, name) for name in _FIELDS)

    @property
    def unfiltered(self) -> str:
        """The address of all applications in this order."""
        return self.address(failing=False, **dict.fromkeys(_FIELDS, ""))


def parse(argument: Callable[[str], str]) -> Listing:
    """Read the arguments of a request; what makes no sense means "any"."""
    number = argument("page")
    page = min(int(number), 1_000_000) if number.isascii() and number.isdigit() and len(number) < 8 else 1
    page = max(1, page)
    sort = argument("sort")
    fields = {name: argument(name).strip()[:253] for name in _FIELDS}
    fields |= {name: "" for name, words in WORDS.items() if fields[name] not in {word.value for word in words}}
    query = StatusQuery(
        **fields,
        failing=argument("failing") == "1",
        sort=sort if sort in SORTS else SORTS[0],
        descending=argument("descending") == "1",
        offset=(page - 1) * PAGE,
        limit=PAGE,
    )
    return Listing(query, page)


def application_path(app: str) -> str:
    """The path of an application's page below the prefix; slashes of the id stay, so that proxies leave it alone."""
    return "/application/" + quote(app, safe="/")
