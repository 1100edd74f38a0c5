"""Query streams: what each helper's holds of an event, and how many bytes it takes."""

from dataclasses import replace

import pytest
from client_cases import EVENTS, HOME, small_world
from hypothesis import given
from hypothesis import strategies as st

from ipa.client.fanout_query import Fanout, FanoutQuery, FieldWidths, Form, write_query_stream
from ipa.client.keys import KemName
from ipa.client.report_collector import SourceData, TriggerData, additional_data
from ipa.client.report_format import pack, read_record, unpack
from ipa.client.report_size import report_size, report_size_in_spec
from ipa.events import SourceEvent, TriggerEvent
from ipa.parameters import QueryParameters


def test_widths_of_query_parameters() -> None:
    parameters = QueryParameters(breakdowns=33, cap=1, value_bits=7)
    assert FieldWidths.of(parameters) == FieldWidths(
        attribution_constraint_id_bits=16, timestamp_bits=32, breakdown_key_bits=6, value_bits=7
    )


def test_additional_data_leaves_the_match_key_behind() -> None:
    assert additional_data(SourceEvent(99, 1, 2, 3)) == SourceData(
        attribution_constraint_id=1, timestamp=2, breakdown_key=3
    )
    assert additional_data(TriggerEvent(99, 1, 2, 3)) == TriggerData(
        attribution_constraint_id=1, timestamp=2, trigger_value=3
    )


def test_helpers_get_equal_streams_up_to_number_and_ciphertexts() -> None:
    world = small_world()
    lengths = {len(stream) for stream in world.streams}
    assert len(lengths) == 1
    shapes = []
    for helper in (1, 2, 3):
        stream = world.stream(helper)
        records = [read_record(record, world.query) for record in stream.records]
        shapes.append(
            (
                stream.query,
                stream.contexts,
                [(record.kind, record.context_index) for record in records],
            )
        )
        assert write_query_stream(stream) == world.streams[helper - 1]
    assert shapes[0] == shapes[1] == shapes[2]
    assert [kind for kind, _ in shapes[0][2]] == ["source", "trigger", "source", "trigger"]


@pytest.mark.parametrize("form", ["packed", "per-field"])
@pytest.mark.parametrize("kem", ["X25519", "MLKEM768-X25519"])
def test_sizes_are_as_computed(form: Form, kem: KemName) -> None:
    world = small_world(form, kem)
    for record, (_, _, data) in zip(world.stream().records, EVENTS, strict=True):
        kind: Fanout = "source" if isinstance(data, SourceData) else "trigger"
        size = report_size(world.query, kind, kem)
        assert 2 + len(record) == size.total
        parts = read_record(record, world.query)
        assert len(parts.match_key.ciphertext) == size.match_key
        assert sum(map(len, parts.data)) == size.data


def test_packed_reports_are_smaller_than_the_specs() -> None:
    query = FanoutQuery(
        context=HOME, fanout="source", widths=FieldWidths.of(QueryParameters(breakdowns=256, cap=1))
    )
    per_field = replace(query, form="per-field")
    assert report_size(query, "source").total == 96 + 62 + 15
    assert report_size(per_field, "source").total == 96 + (52 + 56 + 50) + 19
    # 4 ciphertexts, 8 + 2 + 4 + 1 bytes of shares, three names.
    assert report_size_in_spec(query, "source") == 4 * 48 + 15 + 14 + 14 + 13
    assert report_size_in_spec(query, "trigger") == 4 * 48 + 16 + 14 + 14 + 13


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(1, 64)), min_size=1, max_size=4))
def test_pack_and_unpack(fields: list[tuple[int, int]]) -> None:
    widths = tuple(width for _, width in fields)
    values = tuple(value & ((1 << width) - 1) for value, width in fields)
    packed = pack(values, widths)
    assert unpack(packed, widths) == values
    assert packed == int("".join(f"{v:0{w}b}" for v, w in zip(values, widths, strict=True)), 2)
