"""Pictures are drawn from real runs: what they show is what the runs and the oracles say."""

from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import ipa
from ipa.display.style import BLUE, GREEN, ORANGE
from ipa.errors import EventError, ParameterError
from ipa.events.worked_example import WORKED_EXAMPLE
from ipa.network.channel import Message
from ipa.network.costs import cost_of
from ipa.noise.choice import noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.oracle.steps import (
    last_touch_credits,
    last_touch_passes,
    rows_from_events,
    same_group_bits,
    sort_rows,
)
from ipa.pictures import (
    Picture,
    picture_of_batch_check,
    picture_of_last_touch,
    picture_of_messages,
    picture_of_noise,
    picture_of_shares,
    picture_of_sort,
)
from ipa.protocols.circuits.bitonic_sort import bitonic_stages
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.primitives.opening import open_bits
from ipa.protocols.verification.product_check import check_products
from ipa.sharing.dealing import only_helper, share_elements
from ipa.sharing.rings import PRIME_FIELD

SVG = "{http://www.w3.org/2000/svg}"
RANDOMNESS = ipa.Randomness.from_seed(1, "pictures")


def shapes(picture: Picture, tag: str) -> list[dict[str, str]]:
    """The attributes of all shapes of a kind."""
    tree = ElementTree.fromstring(picture._repr_svg_())
    return [dict(shape.attrib) for shape in tree.iter(SVG + tag)]


def said(picture: Picture) -> list[str]:
    """All words in it, in the order drawn."""
    tree = ElementTree.fromstring(picture._repr_svg_())
    return ["".join(text.itertext()) for text in tree.iter(SVG + "text")]


def a_run() -> ipa.Transcript:
    transcript = ipa.Transcript()
    network = ipa.simulated_network(1, [transcript])
    bits = ipa.share_rows(network, [1, 2, 3], 5, RANDOMNESS)
    open_bits(network, multiply(network, bits, bits))
    return transcript


def noise() -> DigitwiseLaplace:
    found = noise_for(ipa.QueryParameters(breakdowns=4, cap=3, epsilon=1))
    assert isinstance(found, DigitwiseLaplace)
    return found


def pictures() -> list[Picture]:
    return [
        picture_of_shares(ipa.share_rows("run", [1, 2], 5, RANDOMNESS)),
        picture_of_messages(a_run()),
        picture_of_sort([3, 1]),
        picture_of_last_touch(),
        picture_of_batch_check(),
        picture_of_noise(noise(), [0, 1, -1]),
    ]


def test_all_are_well_formed_and_can_be_saved(tmp_path: Path) -> None:
    for picture in pictures():
        tree = ElementTree.fromstring(picture._repr_svg_())
        assert tree.tag == f"{SVG}svg"
        width, height = (int(tree.attrib[name]) for name in ("width", "height"))
        assert 0 < width < 1000 and 0 < height < 600
        assert ElementTree.fromstring(picture._repr_html_()).attrib["class"] == "ipa-shown"
        assert repr(picture) == f"<Picture: {picture.title}>"
        for name in ("picture.svg", "picture.html"):
            picture.save(tmp_path / name)
        assert (tmp_path / "picture.svg").read_text() == picture._repr_svg_()
        assert picture._repr_html_() in (tmp_path / "picture.html").read_text()
        with pytest.raises(ParameterError, match=r"must end in \.svg or \.html"):
            picture.save(tmp_path / "picture.png")


def test_nothing_is_drawn_outside_the_picture() -> None:
    for picture in pictures():
        (size,) = shapes(picture, "svg")
        for shape in shapes(picture, "line"):
            for name in ("x1", "x2"):
                assert 0 <= float(shape[name]) <= float(size["width"]), picture
            for name in ("y1", "y2"):
                assert 0 <= float(shape[name]) <= float(size["height"]), picture
        for shape in shapes(picture, "text"):
            assert 0 <= float(shape["x"]) <= float(size["width"]), picture
            assert 0 <= float(shape["y"]) <= float(size["height"]), picture


def test_shares_are_those_of_the_helpers_that_are_here() -> None:
    secret = 0xFEEDFACE
    bits = ipa.share_rows("run", [7, secret], 32, RANDOMNESS)
    numbers = share_elements("run", PRIME_FIELD, [7, secret], RANDOMNESS)
    for value in (bits, numbers):
        words = " ".join(said(picture_of_shares(value, 1)))
        assert f"{secret:x}" not in words and str(secret) not in words
    held = {helper: bits.first_rows()[helper] for helper in (1, 2, 3)}
    words = " ".join(said(picture_of_shares(only_helper(bits, 2), 1)))
    assert f"x2 = {held[2][0][1]:08x}" in words and f"x3 = {held[2][1][1]:08x}" in words
    assert f"{held[1][0][1]:08x}" not in words
    assert words.count("not in this process") == 2
    for wrong in (-1, 2):
        with pytest.raises(ParameterError, match="row must be an integer from 0 to 1"):
            picture_of_shares(bits, wrong)
    with pytest.raises(ParameterError, match="no row"):
        picture_of_shares(ipa.share_rows("run", [], 3, RANDOMNESS))


def test_every_message_is_an_arrow_in_its_sender_s_colour() -> None:
    transcript = a_run()
    colours = {1: BLUE, 2: ORANGE, 3: GREEN}
    arrows = shapes(picture_of_messages(transcript), "polygon")
    expected = [colours[message.sender] for message in transcript.messages]
    assert [arrow["fill"] for arrow in arrows] == expected
    tips = [float(arrow["points"].split(",")[0]) for arrow in arrows]
    places = {1: 330, 2: 480, 3: 630}
    assert tips == [places[message.receiver] for message in transcript.messages]
    assert {"multiply", "open"} <= set(said(picture_of_messages(transcript)))
    only = picture_of_messages(transcript, "open")
    assert only.title == "Messages of open: 6"
    assert "multiply" not in said(only)
    with pytest.raises(ParameterError, match="no message of step 'sort'"):
        picture_of_messages(transcript, "sort")


def test_a_long_run_is_cut_and_its_names_are_escaped() -> None:
    transcript = ipa.Transcript()
    for number in range(500):
        transcript(Message(f"<step>{number}", 1, 2, bytes(100)))
    picture = picture_of_messages(transcript)
    assert len(shapes(picture, "polygon")) == 40
    assert "460 more messages" in picture._repr_html_()
    assert "<step>" not in picture._repr_html_()


@pytest.mark.parametrize(
    "values", [[1, 0], [3, 3, 0, 2], [13, 2, 29, 7, 7, 0, 31, 4], [*range(16)][::-1]]
)
def test_the_sorting_network_sorts_in_the_picture(values: list[int]) -> None:
    picture = picture_of_sort(values)
    words, rows = said(picture), len(values)
    stages = list(bitonic_stages(rows.bit_length() - 1))
    assert words[:rows] == [str(value) for value in values]
    assert words[-rows:] == [str(value) for value in sorted(values)]
    arrows = Counter(shape["fill"] for shape in shapes(picture, "polygon"))
    assert arrows.total() == rows // 2 * len(stages)
    assert arrows[ORANGE] == exchanges(values)
    upwards = [
        shape for shape in shapes(picture, "line") if float(shape["y1"]) > float(shape["y2"])
    ]
    depth = rows.bit_length() - 1
    assert len(upwards) == sum(rows // 4 for block, _ in stages if block < depth)


def exchanges(values: list[int]) -> int:
    """How many pairs of unequal rows change places."""
    table, count, depth = list(values), 0, len(values).bit_length() - 1
    for block, distance in bitonic_stages(depth):
        for low in (row for row in range(len(table)) if not row >> distance & 1):
            high, down = low | 1 << distance, bool(low >> block & 1)
            if table[low] != table[high] and (table[low] > table[high]) != down:
                table[low], table[high], count = table[high], table[low], count + 1
    return count


@pytest.mark.parametrize("wrong", [[], [1], [1, 2, 3], [0] * 32, [1, -1], [1, 1.5]])
def test_what_no_network_can_be_drawn_for_is_refused(wrong: Any) -> None:
    with pytest.raises(ParameterError, match="values"):
        picture_of_sort(wrong)


def test_the_passes_are_those_of_the_oracle() -> None:
    rows = sort_rows(rows_from_events(WORKED_EXAMPLE, "sum"))
    triggers, values = [int(row.is_trigger) for row in rows], [row.trigger_value for row in rows]
    passes = last_touch_passes(same_group_bits(rows), triggers, values)
    picture = picture_of_last_touch()
    words = said(picture)
    flags = sum(sum(each.flag) for each in passes)
    assert len(shapes(picture, "polygon")) == flags
    assert [f"distance {each.distance}" in words for each in passes] == [True] * 4
    assert words[-9:] == [str(credit) for credit in last_touch_credits(rows)]
    drawn = Counter(words)
    for each in passes:
        assert all(drawn[str(credit)] for credit in each.credit)
    assert drawn["source"] == 3 and drawn["trigger"] == 6


def test_reports_of_padding_belong_to_no_group_of_the_picture() -> None:
    """They have match key and constraint 0, as these events do, and sort before them."""
    source, trigger = ipa.SourceEvent(0, 0, 1, 1), ipa.TriggerEvent(0, 0, 2, 5)
    words = said(picture_of_last_touch([source, trigger, trigger]))
    first = words.index("source")
    assert words[first + 1] == "0"  # the helper bit of the first row
    assert words[-3:] == ["10", "0", "0"]


def test_events_that_cannot_be_drawn_are_refused() -> None:
    for wrong in ([], [ipa.SourceEvent(1, 1, 1, 1)] * 17):
        with pytest.raises(ParameterError, match="1 to 16 events"):
            picture_of_last_touch(wrong)
    with pytest.raises(EventError):
        picture_of_last_touch([ipa.SourceEvent(1, 1, 1, 99)])
    assert picture_of_last_touch([ipa.SourceEvent(1, 1, 1, 1)]).title


@pytest.mark.parametrize(("rows", "width"), [(300, 64), (5, 1), (1000, 100)])
def test_the_halvings_are_those_of_the_check(rows: int, width: int) -> None:
    words = said(picture_of_batch_check(rows, width))
    network = ipa.simulated_network(1, security="malicious")
    shared = ipa.share_rows(network, [0] * rows, width, RANDOMNESS)
    multiply(network, shared, shared)
    check_products(network)
    halvings = [path for path in network.costs if path.endswith("/products")][:-1]
    assert sum(word.startswith("halving ") for word in words) == len(halvings)
    elements = network.costs["check/bits/last/open-shamir"].bytes_sent // (3 * 2 * 8)
    last = words[words.index("last vectors") + 1]
    assert last == f"2 vectors of {elements // 2}, masked"
    total = cost_of(network.costs, "check")
    start = words.index(f"{rows * width:,} AND gates")
    numbers = [
        int(word.replace(",", ""))
        for word in words[start:]
        if word[0].isdigit() and word.replace(",", "").isdigit()
    ]
    assert sum(numbers) == total.rounds + total.bytes_sent


def test_the_bars_are_the_exact_distribution() -> None:
    exact = noise()
    picture = picture_of_noise(exact, [0, 0, 0, 5])
    bars = [float(bar["height"]) for bar in shapes(picture, "rect")][1:]
    masses = dict(zip(range(-exact.largest, exact.largest + 1), exact.masses, strict=True))
    reach = len(bars) // 2
    assert bars == bars[::-1]
    for place, height in enumerate(bars):
        assert height / max(bars) == pytest.approx(masses[place - reach] / masses[0], abs=0.01)
    dots = shapes(picture, "circle")
    assert len(dots) == len(bars)
    assert sum(float(dot["cy"]) < 239.9 for dot in dots) == 2
    dashed = [
        float(shape["x1"]) for shape in shapes(picture, "line") if "stroke-dasharray" in shape
    ]
    centre = 50 + 640 / 2
    assert dashed[0] + dashed[1] == pytest.approx(2 * centre, abs=0.2)
    step = 640 / len(bars)
    assert (dashed[1] - centre) / step == pytest.approx(exact.interval_95 + 0.5, abs=0.05)
