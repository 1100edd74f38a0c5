"""Imports go one way, and at run time only the standard library and `cryptography` are needed.

The layers are the folders of `ipa/`, and a few files beside them. A module belongs to the layer whose
name is the longest prefix of its own. Within a layer modules may import each other as long as there
is no cycle, except in the layers of `SEPARATE`.
"""

import ast
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import ipa

PACKAGE = Path(ipa.__file__).parent

FOUNDATION = [
    "errors",
    "files",
    "certificates",
    "names",
    "ranges",
    "parties",
    "progress",
    "version",
]

PUBLIC = {"foundation", "parameters", "events"}
"""What is asked, and of which events: no share, no message."""

LOWEST = PUBLIC | {"display"}
"""What all may import: what an object looks like is told in every layer above."""

SHARED = LOWEST | {"sharing", "network"}
CIRCUITS = {"protocols.primitives", "protocols.verification", "protocols.circuits"}
PROTOCOLS = SHARED | CIRCUITS | {"reports"}
QUERY = PROTOCOLS | {"noise", "protocols", "attribution", "release", "result", "query"}
EVERYTHING = (
    QUERY
    | {
        "oracle",
        "budget",
        "client",
        "intake",
        "report_answer",
        "report_query",
        "attacks",
        "planning",
        "moments",
    }
    | {"budget.charging", "grid", "halo", "pictures"}
)

MAY_IMPORT: dict[str, set[str]] = {
    "foundation": set(),
    "display": {"foundation"},
    "parameters": {"foundation", "display"},
    "events": {"foundation", "display", "parameters"},
    "sharing": LOWEST,
    "oracle": PUBLIC,
    "noise": PUBLIC,
    "budget": LOWEST | {"budget.charging"},  # the latter in its `__init__` alone
    "client": LOWEST | {"sharing"},
    "reports": LOWEST | {"sharing"},
    "network": LOWEST | {"sharing"},
    "protocols.primitives": SHARED,
    "protocols.verification": SHARED | {"protocols.primitives"},
    "protocols.circuits": SHARED | {"protocols.primitives", "protocols.verification"},
    "protocols": PROTOCOLS | {"noise"},
    "release": SHARED,
    "result": SHARED | {"noise"},
    "query": QUERY,
    "attribution": PROTOCOLS | {"protocols"},
    "intake": PROTOCOLS | {"client"},
    "budget.charging": SHARED | {"protocols.primitives", "budget"},
    "report_answer": QUERY | {"client", "budget", "budget.charging", "intake"},
    "report_query": QUERY | {"client", "budget", "report_answer"},
    "service": QUERY
    | {"client", "budget", "budget.charging", "intake", "report_answer", "report_query"},
    "attacks": QUERY | {"oracle"},
    "moments": QUERY,
    "grid": QUERY,
    "pictures": PROTOCOLS | {"protocols", "noise"},
    "planning": LOWEST | {"noise", "oracle", "result"},
    "halo": PROTOCOLS | {"noise", "client", "protocols", "budget"},
    "testing": QUERY | {"client", "attacks"},
    "conformance": QUERY | {"oracle", "client", "testing"},
    "": EVERYTHING,
    "__main__": {"commands"},
    "commands": EVERYTHING | {"", "conformance", "service"},
}
"""For each layer, the layers below it that its modules may import; "" is the package `ipa` itself."""

SEPARATE = {"protocols", "oracle"}
"""Layers whose modules stand side by side: a step knows no other, the oracles are independent.

Only the face of the package, its `__init__`, imports them all.
"""

THIRD_PARTY = {
    "cryptography": ("*",),
    "rich": ("ipa.commands.tables",),
    "h11": ("ipa.service.http",),
    "publicsuffixlist": ("ipa.names",),
    "nacl": ("ipa.halo.ed25519",),
    "hypothesis": (
        "ipa.testing",
        "ipa.testing.*",
        "ipa.conformance.drawn_*",
        "ipa.conformance.checking",
    ),
}
"""What is imported from elsewhere, and by which modules; all but cryptography are optional extras."""

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
    place = module.removeprefix("ipa").removeprefix(".")
    if place.split(".")[0] in FOUNDATION:
        return "foundation"
    for layer in sorted(MAY_IMPORT, key=len, reverse=True):
        if place == layer or (place.startswith(f"{layer}.") and layer):
            return layer
    raise AssertionError(f"{module} has no layer: add it to MAY_IMPORT or FOUNDATION")


def wrong_imports(imports: Imports) -> list[str]:
    problems = []
    for module, names in imports.items():
        layer = layer_of(module)
        for name in names:
            if name.split(".")[0] == "ipa":
                other = layer_of(name)
                is_face = module == f"ipa.{layer}"
                beside = other == layer and (layer not in SEPARATE or is_face)
                if not beside and other not in MAY_IMPORT[layer]:
                    problems.append(f"{module} ({layer}) imports {name} ({other})")
            elif (top := name.split(".")[0]) not in sys.stdlib_module_names and not any(
                fnmatchcase(module, pattern) for pattern in THIRD_PARTY.get(top, ())
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


def test_every_layer_named_in_the_table_exists() -> None:
    layers = {layer_of(module) for module in all_imports()}
    assert layers == set(MAY_IMPORT)
    modules = all_imports()
    assert all(f"ipa.{name}" in modules for name in FOUNDATION)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ipa.sharing.bits", "from ipa.network.helper_party_network import HelperPartyNetwork"),
        ("ipa.sharing.bits", "from ipa.network.channel import Message"),
        ("ipa.network.channel", "from ipa.protocols.primitives.coins import public_coins"),
        ("ipa.client.keys", "import ipa.protocols.primitives.opening"),
        ("ipa.client.keys", "from ipa.protocols import opening"),
        ("ipa.protocols.capping", "from ipa.protocols.helper_bits import helper_bits"),
        ("ipa.protocols.circuits.addition", "def f():\n    from ipa.protocols import capping"),
        ("ipa.protocols.primitives.opening", "from ipa.protocols.circuits.addition import add"),
        ("ipa.oracle.steps", "from ipa.sharing.bits import ones"),
        ("ipa.oracle.sql", "from ipa.oracle.steps import Row"),
        ("ipa.query", "import ipa.commands.command_line"),
        ("ipa.query", "import numpy"),
        ("ipa.query", "import rich.table"),
        ("ipa.client.validation", "import publicsuffixlist"),
        ("ipa.halo.elgamal", "import nacl"),
        ("ipa.display.shares", "from ipa.sharing.shared_bits import SharedBits"),
        ("ipa.conformance.reference", "from hypothesis import strategies"),
        ("ipa.query", "from ipa.testing import queries"),
        ("ipa", "import ipa.conformance.reference"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    names = imported(source, set(all_imports()))
    assert len(wrong_imports({module: names})) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ipa.commands.tables", "import rich.table, json"),
        ("ipa.sharing.prss", "from cryptography.hazmat import primitives"),
        ("ipa.protocols.capping", "from ipa.protocols.circuits import scan"),
    ],
)
def test_a_right_import_is_not(module: str, source: str) -> None:
    assert wrong_imports({module: imported(source, set(all_imports()))}) == []


def test_an_unknown_module_and_a_cycle_are_found() -> None:
    with pytest.raises(AssertionError, match=r"ipa\.novelty has no layer"):
        wrong_imports({"ipa.novelty": set()})
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == list("abcd")
    assert cycle_in({"a": {"b"}, "b": set()}) is None
