"""The part of a path that names an application."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class _AppIdConvertor(Convertor[str]):
    """`<kind>/<namespace>/<name>` or a bare name: three segments or one, so that `/resources` behind it is no part."""

    regex = "[^/]+(?:/[^/]+/[^/]+)?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("appid", _AppIdConvertor())

APPLICATION = "/{app:appid}"
"""The path of one application below that of all."""
