"""The helper parties' front door: from encrypted query streams to shared generic reports."""

from ipa.intake.query_comparison import OwnStream, compare_queries, read_own_stream
from ipa.intake.report_decryption import GenericReportShares, StreamDecryptor, decrypt_report
from ipa.intake.report_intake import Intake, open_reports, take_in_reports

__all__ = [
    "GenericReportShares",
    "Intake",
    "OwnStream",
    "StreamDecryptor",
    "compare_queries",
    "decrypt_report",
    "open_reports",
    "read_own_stream",
    "take_in_reports",
]
