"""The client side: devices and report collectors, up to the query streams that helpers receive."""

from ipa.client.configuration import (
    HelperKeys,
    NetworkConfiguration,
    configuration_from_json,
    configuration_to_json,
    generate_configuration,
)
from ipa.client.encrypted_match_key import EncryptedMatchKey, ReportContext, encrypt_match_key
from ipa.client.fanout_query import (
    FanoutQuery,
    FieldWidths,
    QueryStream,
    read_query_stream,
    write_query_stream,
)
from ipa.client.key_files import (
    create_network_directory,
    load_all_helper_keys,
    load_configuration,
    load_helper_keys,
    save_configuration,
    save_helper_keys,
)
from ipa.client.match_key_provider import MatchKeyProvider
from ipa.client.rejection import Reason
from ipa.client.report_collector import (
    CollectedEvent,
    SourceData,
    TriggerData,
    additional_data,
    assemble_fanout_query,
)
from ipa.client.report_size import (
    ReportSize,
    report_size,
    report_size_for_all,
    report_size_in_spec,
)
from ipa.client.rotation import add_key, replace_service, retire_key
from ipa.client.services import HelperService, RegisteredCollector, split_address
from ipa.client.shares import Sharing
from ipa.client.user_agent import ON_DEVICE, EmbeddingApp, UserAgent

__all__ = [
    "ON_DEVICE",
    "CollectedEvent",
    "EmbeddingApp",
    "EncryptedMatchKey",
    "FanoutQuery",
    "FieldWidths",
    "HelperKeys",
    "HelperService",
    "MatchKeyProvider",
    "NetworkConfiguration",
    "QueryStream",
    "Reason",
    "RegisteredCollector",
    "ReportContext",
    "ReportSize",
    "Sharing",
    "SourceData",
    "TriggerData",
    "UserAgent",
    "add_key",
    "additional_data",
    "assemble_fanout_query",
    "configuration_from_json",
    "configuration_to_json",
    "create_network_directory",
    "encrypt_match_key",
    "generate_configuration",
    "load_all_helper_keys",
    "load_configuration",
    "load_helper_keys",
    "read_query_stream",
    "replace_service",
    "report_size",
    "report_size_for_all",
    "report_size_in_spec",
    "retire_key",
    "save_configuration",
    "save_helper_keys",
    "split_address",
    "write_query_stream",
]
