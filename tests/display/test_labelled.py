"""Parameters, encoders and labelled sums in a notebook: what each says, and what none of them says."""

import copy
import datetime as dt
import pickle

from display_cases import MATCH_KEY, html, labelled_objects, parsed
from encoder_cases import ENCODER, fresh

import ipa
from ipa.result import LabelledSum, LabelledSums

NOISY = ENCODER.parameters(cap=20, epsilon=1)
SUMS = [123456, -5, 0]


def rows_of(page: str) -> list[str]:
    return ["|".join("".join(cell.itertext()) for cell in row) for row in parsed(page).iter("tr")]


def test_parameters_have_a_line_for_all_that_is_asked() -> None:
    asked = ipa.QueryParameters(
        breakdowns=1000,
        cap=2000,
        capping="truncate",
        aggregate="count",
        attribution_window=3600,
        max_reports_per_match_key=64,
        epsilon=2,
        sort="bitonic",
        security="semi-honest",
        match_keys_can_collide=True,
        match_key_bits=40,
        attribution_constraint_id_bits=9,
        timestamp_bits=33,
        value_bits=11,
    )
    assert rows_of(html(asked)) == [
        "breakdowns|1,000",
        "cap|2,000 (truncate)",
        "aggregate|count",
        "attribution|last-touch",
        "attribution window|3,600",
        "max reports per match key|64",
        "noise|laplace, epsilon 2, delta 1e-09",
        "match keys can collide|yes",
        "sensitivity|4,000",
        "sort|bitonic",
        "security|semi-honest",
        "match key bits|40",
        "attribution constraint id bits|9",
        "timestamp bits|33",
        "value bits|11",
    ]


def test_parameters_say_what_they_leave_out() -> None:
    lines = rows_of(html(ipa.QueryParameters(breakdowns=4, cap=100)))
    assert {"attribution window|no limit", "max reports per match key|no limit"} <= set(lines)
    assert {"noise|none: exact, and not private", "match keys can collide|no"} <= set(lines)
    alone = ipa.QueryParameters(breakdowns=4, cap=1, epsilon=1, mechanism="laplace-per-helper")
    assert "noise|laplace-per-helper, epsilon 1, delta 0" in rows_of(html(alone))


def test_an_encoder_says_what_columns_and_labels_become() -> None:
    lines = rows_of(html(fresh(other_label="other")))
    assert lines == [
        "field|column of the table|becomes|bits",
        "report|type|'impression' is a source; 'purchase' is a trigger|",
        "match key|user|numbers, as people come|64",
        "attribution constraint id|advertiser|numbers, as they come|16",
        "timestamp|time|steps of 1 s after 2026-03-01 00:00:00+00:00|22",
        "breakdown key|campaign|the place of the label among the labels|",
        "trigger value|value|steps of 0.01, 500 at most|16",
        "breakdown key|label|",
        "0|'spring'|",
        "1|'letter'|",
        "2|'other'|and every other label",
    ]
    plain = rows_of(html(ipa.EventEncoder(breakdown_labels=["a"])))
    assert "timestamp|timestamp|whole numbers already|32" in plain and "site|site|text|" in plain
    hourly = rows_of(html(fresh(time_step=dt.timedelta(hours=1), hash_key=bytes(16))))
    assert any("|steps of 1:00:00 after" in line for line in hourly)
    assert "match key|user|a keyed hash|64" in hourly


def test_an_encoder_of_many_long_labels_is_cut() -> None:
    labels = [f"{number} <b>{'x' * 1000}" for number in range(1000)]
    page = html(ipa.EventEncoder(breakdown_labels=labels))
    assert "... 936 more labels" in page and "<b>" not in page
    assert len(page) < 20_000


def test_an_encoder_shows_no_key_and_nobody_it_has_numbered() -> None:
    encoders = [each for each in labelled_objects() if isinstance(each, ipa.EventEncoder)]
    hashed, numbering = encoders
    assert isinstance(hashed.hash_key, bytes) and numbering.hash_key is None
    for said in (repr(hashed), html(hashed), repr(numbering), html(numbering)):
        for secret in (f"{MATCH_KEY:x}", repr(hashed.hash_key)[2:-1], "hash_key"):
            assert secret not in said


def test_sums_by_label_have_their_intervals_in_the_table_s_unit() -> None:
    sums = ipa.QueryResult(SUMS, 2, NOISY, {}).labelled(ENCODER)
    page = html(sums)
    assert "Sum by campaign" in page and "noise: laplace, epsilon 1, delta 1e-09" in page
    assert rows_of(page)[1].startswith(f"spring|1,234.56|{sums[0].low:,} to {sums[0].high:,}|")
    assert (page.count("<svg"), page.count("<line")) == (3, 3 * 4), (
        "axis, interval and its two ends"
    )
    assert repr(sums) == (
        "<sum by campaign: 'spring' 1234.56, 'letter' -0.05, 'other' 0.00; "
        f"noise +-{sums[0].high - sums[0].total} at 95 %>"
    )


def test_exact_sums_by_key_say_that_they_are() -> None:
    sums = ipa.QueryResult(SUMS, 2, ENCODER.parameters(cap=20), {}).labelled()
    assert rows_of(html(sums))[:2] == ["breakdown_key|sum|", "0|123,456|"]
    assert "no noise: exact, and not private" in html(sums)
    assert repr(sums) == "<sum by breakdown_key: 0 123456, 1 -5, 2 0>"
    assert html(LabelledSums([], ("campaign", "sum"), None))
    assert repr(LabelledSums([], ("campaign", "sum"), NOISY_SUMS.noise)) == "<sum by campaign: >"


NOISY_SUMS = ipa.QueryResult(SUMS, 2, NOISY, {}).labelled(ENCODER)


def test_many_sums_by_label_are_cut() -> None:
    asked = ipa.QueryParameters(breakdowns=5000, cap=1)
    page = html(ipa.QueryResult([7] * 64 + [10**9] * 4936, 2, asked, {}).labelled())
    assert "... 4,936 more labels" in page and page.count("<svg") == 64
    assert 'width="216.0"' in page, "bars are to the scale of what is shown"


def test_labelled_sums_are_a_list_that_can_be_kept() -> None:
    assert list(NOISY_SUMS) == NOISY_SUMS
    for again in (pickle.loads(pickle.dumps(NOISY_SUMS)), copy.deepcopy(NOISY_SUMS)):
        assert again == NOISY_SUMS and repr(again) == repr(NOISY_SUMS)
        assert html(again) == html(NOISY_SUMS)
    one = LabelledSum("spring", *[NOISY_SUMS[0].total] * 3)
    assert rows_of(html(one)) == ["label|spring"] + [
        f"{name}|1,234.56" for name in ("total", "low", "high")
    ]
