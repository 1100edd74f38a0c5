"""The rules a report's public context must keep (spec: Validating reports)."""

from ipa.client.encrypted_match_key import ReportContext
from ipa.client.fanout_query import FanoutQuery
from ipa.client.rejection import Reason, reject
from ipa.parameters import ReportKind


def check_context(context: ReportContext, kind: ReportKind, query: FanoutQuery) -> None:
    """Check that a report of `kind` with this context may be part of the query.

    Network, epoch, report collector, the site on whose behalf it collects, and match key provider
    must be the query's; the site must be the query's for reports of the query's own kind (source
    reports of a source fanout query) and may be any for the others, whose budget the query does not
    touch. That the query's collector,
    provider and network are those *committed to* is for the helpers to check once per query.

    Raises: ReportError, whose reason is the first rule broken.
    """
    expected = query.context
    rules = (
        (Reason.WRONG_NETWORK, "network", context.network_name, expected.network_name),
        (Reason.WRONG_EPOCH, "epoch", context.epoch, expected.epoch),
        (
            Reason.WRONG_COLLECTOR,
            "report collector",
            context.report_collector,
            expected.report_collector,
        ),
        (
            Reason.WRONG_ASKING_SITE,
            "a report collector on behalf of",
            context.on_behalf_of,
            expected.on_behalf_of,
        ),
        (
            Reason.WRONG_PROVIDER,
            "match key provider",
            context.match_key_provider,
            expected.match_key_provider,
        ),
    )
    for reason, name, found, wanted in rules:
        if found != wanted:
            reject(reason, f"the match key is for {name} {found!r}, the query for {wanted!r}")
    if kind == query.fanout and context.site != expected.site:
        reject(
            Reason.WRONG_SITE,
            f"a {kind} report of a {query.fanout} fanout query must come from site "
            f"{expected.site!r}, not {context.site!r}",
        )
