"""What helper intake costs next to the HPKE openings it cannot do without.

    python examples/intake_benchmark.py [REPORTS]

Both are measured in one run, in processor seconds of all three helpers: `openings` decrypts every
ciphertext and does nothing else; `intake` reads the streams, validates and opens every report,
compares with the other helpers, and makes shared columns. On a quiet machine it takes at most 1.3
times the openings. Exits with status 1 if it shares other reports than those collected.
"""

import argparse
import gc
import sys
from time import process_time

from ipa import generate_events, reconstruct_for_testing, simulated_network
from ipa.client.configuration import HelperKeys, generate_configuration
from ipa.client.encrypted_match_key import ReportContext, encrypt_match_key
from ipa.client.fanout_query import FanoutQuery, FieldWidths, read_query_stream
from ipa.client.keys import PrivateKey
from ipa.client.report_collector import CollectedEvent, additional_data, assemble_fanout_query
from ipa.client.report_format import info, read_record
from ipa.commands.options import whole_number
from ipa.intake.query_comparison import compare_queries
from ipa.intake.report_decryption import StreamDecryptor
from ipa.intake.report_intake import take_in_reports
from ipa.parameters import QueryParameters
from ipa.sharing.randomness import Randomness

PARAMETERS = QueryParameters(breakdowns=16, cap=100)
CONTEXT = ReportContext(
    network_name="net.example",
    match_key_provider="on-device",
    report_collector="collector.example",
    on_behalf_of="news.example",
    site="news.example",
    epoch=1,
)


def main() -> int:
    """Measure, print a line each, and say whether the ratio is within bounds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "reports",
        type=whole_number(0),
        nargs="?",
        default=2000,
        metavar="REPORTS",
        help="how many (default: %(default)s)",
    )
    count: int = parser.parse_args().reports
    events = generate_events(count, seed=1)
    network, keys = generate_configuration(CONTEXT.network_name)
    randomness = Randomness()
    query = FanoutQuery(context=CONTEXT, fanout="source", widths=FieldWidths.of(PARAMETERS))
    collected = [
        CollectedEvent(
            additional_data(event),
            encrypt_match_key(event.match_key, CONTEXT, network, randomness),
        )
        for event in events
    ]
    streams = assemble_fanout_query(query, collected, network, randomness)
    openings = [job for data, own in zip(streams, keys, strict=True) for job in jobs(data, own)]
    gc.collect()
    gc.freeze()  # what was made up to here is no work of either

    started = process_time()
    for key, ciphertext, context in openings:
        key.open(ciphertext, context)
    bare = process_time() - started

    helpers = simulated_network()
    started = process_time()
    own_streams = compare_queries(
        helpers,
        dict(enumerate(streams, 1)),
        {own.helper: own for own in keys},
        dict.fromkeys(helpers.helpers, CONTEXT.report_collector),
    )
    intake = take_in_reports(helpers, own_streams)
    taken = process_time() - started

    print(f"reports   {count}, {len(openings)} ciphertexts at three helpers")
    print(f"openings  {bare:.3f} s, {1e6 * bare / max(1, len(openings)):.1f} us each")
    print(f"intake    {taken:.3f} s, {taken / bare:.2f} times the openings")
    right = reconstruct_for_testing(intake.reports.match_key) == [e.match_key for e in events]
    print(f"reports shared as collected: {right}")
    return 0 if right else 1


def jobs(data: bytes, own: HelperKeys) -> list[tuple[PrivateKey, bytes, bytes]]:
    """Every opening that a helper must make: key, ciphertext, info."""
    stream = read_query_stream(data)
    decryption = StreamDecryptor(stream, own)
    found = []
    for encoded in stream.records:
        record = read_record(encoded, stream.query)
        sealed = record.match_key
        context = decryption.match_key_info(record.context_index, record.kind, sealed.key_id)
        found.append((decryption.key(sealed.key_id), sealed.ciphertext, context))
        for part, ciphertext in enumerate(record.data):
            prefix = decryption.data_prefix(record.kind, part, record.data_key_id)
            bound = info(prefix, sealed.ciphertext)
            found.append((decryption.key(record.data_key_id), ciphertext, bound))
    return found


if __name__ == "__main__":
    sys.exit(main())
