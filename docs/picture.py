"""The generated parts of `architecture.md`: which package imports which, and what each one says it is for.

`make docs` writes them; a test holds the committed page to what this module says now.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
ENGINE, SCHEDULER = "gitops_workers", "scheduler"
PROCESSES, FOUNDATION = "processes", "foundation"
"""The two boxes of the modules that lie directly in `gitops_workers/`: those above the pipeline, and those below it."""
OMITTED = "core"
"""Every package may import it and most do, so arrows to it would hide the others."""

Arrow = tuple[str, str]
"""The box that imports, and the one that is imported."""
Imports = Mapping[Arrow, int]
"""How many imports an arrow stands for."""


def main() -> None:
    """Write the page's generated parts anew."""
    PAGE.write_text(updated(PAGE.read_text()))


def updated(page: str) -> str:
    """Return the page with its generated parts as the code is now. Raises ValueError when a marker is missing."""
    graph = grimp.build_graph(ENGINE, SCHEDULER)
    boxes = {module: _box(graph, module) for module in graph.modules}
    imports = Counter(
        (boxes[importer], boxes[imported])
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if boxes[importer] != boxes[imported]
    )
    page = _replaced(page, "picture", f"```mermaid\n{drawn(boxes, imports)}\n```")
    return _replaced(page, "packages", table())


def drawn(boxes: Mapping[str, str], imports: Imports) -> str:
    """Return the Mermaid flowchart of boxes (by module) and of the imports between them."""
    names = sorted({box for box in boxes.values() if box != OMITTED})
    lines = ["flowchart TD", *(f'    {name}["{_label(name, boxes)}"]' for name in names)]
    shown = {arrow: count for arrow, count in imports.items() if OMITTED not in arrow}
    back = against(shown)
    lines += [f"    {importer} --> {imported}" for importer, imported in sorted(reduced(shown.keys() - back))]
    return "\n".join([*lines, *(f"    {importer} -.-> {imported}" for importer, imported in sorted(back))])


def against(imports: Imports) -> frozenset[Arrow]:
    """Return the arrows that go against the others: of each circle the one that fewest imports make.

    >>> against({("a", "b"): 9, ("b", "c"): 9, ("c", "a"): 1})
    frozenset({('c', 'a')})
    """
    left, found = dict(imports), set[Arrow]()
    for arrow in sorted(imports, key=lambda arrow: (imports[arrow], arrow)):
        if arrow[0] in _reached(arrow[1], left):
            found.add(arrow)
            del left[arrow]
    return frozenset(found)


def reduced(arrows: Collection[Arrow]) -> frozenset[Arrow]:
    """Return the arrows without those that a longer way says already.

    >>> sorted(reduced({("a", "b"), ("b", "c"), ("a", "c")}))
    [('a', 'b'), ('b', 'c')]
    """
    kept = set(arrows)
    for arrow in sorted(arrows):
        if arrow[1] in _reached(arrow[0], kept - {arrow}):
            kept.remove(arrow)
    return frozenset(kept)


def table() -> str:
    """Return the Markdown table of all packages with the first sentence of their docstrings."""
    rows = [f"| `{name}` | {_first_sentence(path)} |" for name, path in _packages()]
    return "\n".join(["| package | what it is for |", "|---|---|", *rows])


def _box(graph: grimp.ImportGraph, module: str) -> str:
    top, *rest = module.split(".")
    if top == SCHEDULER:
        return SCHEDULER
    if rest and not _is_file(f"{ENGINE}.{rest[0]}"):
        return rest[0]
    return PROCESSES if rest and _puts_together(graph, module) else FOUNDATION


def _puts_together(graph: grimp.ImportGraph, module: str) -> bool:
    """Whether a module of the top folder imports the pipeline or the wiring, itself or by another such module."""
    imported = graph.find_modules_directly_imported_by(module)
    above = any(name.startswith((f"{ENGINE}.pipeline", f"{ENGINE}.wiring")) for name in imported)
    return above or any(_puts_together(graph, name) for name in imported if name.count(".") == 1 and _is_file(name))


def _is_file(module: str) -> bool:
    return (ROOT / f"{module.replace('.', '/')}.py").is_file()


def _label(name: str, boxes: Mapping[str, str]) -> str:
    if name in (PROCESSES, FOUNDATION):
        parts = sorted(module.split(".")[1] for module, box in boxes.items() if box == name and "." in module)
    else:
        prefix = f"{ENGINE}.{name}."
        parts = sorted(
            {module.removeprefix(prefix).split(".")[0] for module in boxes if module.startswith(prefix)}
            & {path.parent.name for path in (ROOT / ENGINE / name).glob("*/__init__.py")}
        )
    lines = [", ".join(parts[start : start + 4]) for start in range(0, len(parts), 4)]
    return "<br/>".join([f"<b>{name}</b>", *lines])


def _reached(start: str, arrows: Iterable[Arrow]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        new = {imported for importer, imported in arrows if importer == here} - found
        found |= new
        waiting += new
    return found


def _packages() -> Iterator[tuple[str, Path]]:
    for top in (ENGINE, SCHEDULER):
        for path in sorted((ROOT / top).rglob("__init__.py")):
            yield path.parent.relative_to(ROOT).as_posix(), path


def _first_sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


def _replaced(page: str, part: str, text: str) -> str:
    begin, end = f"<!-- {part}: made by make docs -->", f"<!-- end of {part} -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"{PAGE}: expected the markers {begin!r} and {end!r} once each")
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    main()
