"""Imports go one way, and at run time only the standard library and `cryptography` are needed.

A new module needs a place: add it to a layer of `LAYERS`, the lowest one that may import all that it
needs. Within a layer modules may import each other as long as there is no cycle, except in the
layers of `SEPARATE`.
"""

import ast
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import ipa

PACKAGE = Path(ipa.__file__).parent

FOUNDATION = {"foundation"}
SHARING = {"foundation", "sharing"}
NETWORK = SHARING | {"channel", "network"}
STEPS = NETWORK | {"primitives", "circuits", "reports"}
QUERY = STEPS | {"steps", "query"}
EVERYTHING = QUERY | {"oracle", "laboratory", "client", "budget", "intake", "report query"}

MAY_IMPORT: dict[str, set[str]] = {
    "foundation": set(),
    "sharing": FOUNDATION,
    "channel": FOUNDATION,
    "oracle": FOUNDATION,
    "budget": FOUNDATION,
    "client": SHARING,
    "reports": SHARING,
    "network": SHARING | {"channel"},
    "primitives": NETWORK,
    "circuits": NETWORK | {"primitives"},
    "steps": STEPS,
    "query": STEPS | {"steps"},
    "intake": STEPS | {"client"},
    "report query": QUERY | {"client", "budget", "intake"},
    "laboratory": QUERY | {"oracle"},
    "package": EVERYTHING,
    "command line": EVERYTHING | {"package"},
}
"""For each layer, the layers below it that its modules may import."""

SEPARATE = {"steps", "oracle"}
"""Layers whose modules stand side by side: a step knows no other, the oracles are independent."""

LAYERS = {
    "foundation": "errors names parameters parties events workload costs",
    "sharing": "sharing sharing.*",
    "channel": "channel sockets",
    "oracle": "oracle oracle_sql",
    "budget": "budget commitments ledger_file transparency",
    "client": "client client.*",
    "reports": "reports",
    "network": "network products protocols",
    "primitives": """
        protocols.agreement protocols.bit_check protocols.broadcast protocols.coins
        protocols.compression protocols.input_check protocols.multiplication
        protocols.number_check protocols.opening protocols.product_blocks protocols.product_check
        protocols.report_agreement protocols.resharing protocols.two_party
    """,
    "circuits": """
        protocols.addition protocols.bitonic_sort protocols.comparison protocols.constants
        protocols.conversion protocols.division protocols.equality protocols.multiplexer
        protocols.scan
    """,
    "steps": """
        protocols.aggregation protocols.capping protocols.helper_bits protocols.last_touch
        protocols.match_key_compression protocols.padding protocols.report_sorting
    """,
    "query": "query release",
    "intake": "intake",
    "report query": "report_query",
    "laboratory": "attacks",
    "package": "ipa",
    "command line": "__main__ command_line commands commands.* output progress",
}
"""For each layer its modules, without `ipa.`; a package with `.*` has all its modules there."""

THIRD_PARTY = {"cryptography": "*", "rich": "ipa.output"}
"""What is imported from elsewhere, and by which module; rich is an optional extra."""

Imports = Mapping[str, set[str]]


def module_name(path: Path) -> str:
    parts = ("ipa", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(source: str, modules: set[str]) -> set[str]:
    """What a module imports, inside functions too; `from package import module` is the module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports are absolute"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= inner & modules if inner & modules else {node.module}
    return names


def all_imports() -> dict[str, set[str]]:
    sources = {module_name(path): path.read_text() for path in PACKAGE.rglob("*.py")}
    return {module: imported(text, set(sources)) for module, text in sources.items()}


def layer_of(module: str) -> str:
    place = module.removeprefix("ipa.")
    for layer, patterns in LAYERS.items():
        if any(fnmatchcase(place, pattern) for pattern in patterns.split()):
            return layer
    raise AssertionError(f"{module} has no layer: add it to LAYERS, see the docstring there")


def wrong_imports(imports: Imports) -> list[str]:
    problems = []
    for module, names in imports.items():
        layer = layer_of(module)
        for name in names:
            if name.split(".")[0] == "ipa":
                other = layer_of(name)
                beside = other == layer and layer not in SEPARATE
                if not beside and other not in MAY_IMPORT[layer]:
                    problems.append(f"{module} ({layer}) imports {name} ({other})")
            elif (top := name.split(".")[0]) not in sys.stdlib_module_names and not fnmatchcase(
                module, THIRD_PARTY.get(top, "")
            ):
                problems.append(f"{module} imports {name}")
    return sorted(problems)


def cycle_in(imports: Imports) -> list[str] | None:
    """Some cycle, if there is one: take away modules that import nothing left, again and again."""
    left = {module: names & set(imports) for module, names in imports.items()}
    while free := [module for module, names in left.items() if not names]:
        for module in free:
            del left[module]
        left = {module: names - set(free) for module, names in left.items()}
    return sorted(left) or None


def test_every_module_has_a_place_and_imports_go_one_way() -> None:
    imports = all_imports()
    assert {"ipa", "ipa.query", "ipa.sharing.bits", "ipa.protocols.capping"} <= set(imports)
    assert wrong_imports(imports) == []


def test_there_is_no_cycle() -> None:
    assert cycle_in(all_imports()) is None


def test_every_module_named_in_the_table_exists() -> None:
    modules = {module.removeprefix("ipa.") for module in all_imports()}
    for patterns in LAYERS.values():
        for pattern in patterns.split():
            assert any(fnmatchcase(module, pattern) for module in modules), pattern


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ipa.sharing.bits", "from ipa.network import HelperPartyNetwork"),
        ("ipa.sharing.bits", "from ipa.channel import Message"),
        ("ipa.channel", "from ipa.sharing.bits import ones"),
        ("ipa.client.keys", "import ipa.protocols.opening"),
        ("ipa.client.keys", "from ipa.protocols import opening"),
        ("ipa.protocols.capping", "from ipa.protocols.helper_bits import helper_bits"),
        ("ipa.protocols.addition", "def f():\n    from ipa.protocols import capping"),
        ("ipa.protocols.opening", "from ipa.protocols.addition import add"),
        ("ipa.oracle", "from ipa.sharing.bits import ones"),
        ("ipa.oracle_sql", "from ipa.oracle import Row"),
        ("ipa.query", "import ipa.command_line"),
        ("ipa.query", "import numpy"),
        ("ipa.query", "import rich.table"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    names = imported(source, set(all_imports()))
    assert len(wrong_imports({module: names})) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ipa.output", "import rich.table, json"),
        ("ipa.sharing.prss", "from cryptography.hazmat import primitives"),
        ("ipa.protocols.capping", "from ipa.protocols import scan"),
    ],
)
def test_a_right_import_is_not(module: str, source: str) -> None:
    assert wrong_imports({module: imported(source, set(all_imports()))}) == []


def test_an_unknown_module_and_a_cycle_are_found() -> None:
    with pytest.raises(AssertionError, match=r"ipa\.novelty has no layer"):
        wrong_imports({"ipa.novelty": set()})
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == list("abcd")
    assert cycle_in({"a": {"b"}, "b": set()}) is None
