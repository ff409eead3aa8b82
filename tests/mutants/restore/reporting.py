"""Mutants in RestoreReport."""

from __future__ import annotations

import gzip

from mutants.conforming import Conforming
from mutants.model import Entry, RestoreReport


class _Reporting(Conforming):
    """Reports something else."""

    breaks = "restore/report"

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        raise NotImplementedError

    def report(self, entries: list[Entry], elapsed_ns: int) -> RestoreReport:
        return self.said(super().report(entries, elapsed_ns), entries)


class BytesOfTables(_Reporting):
    """total_bytes leaves indices/ out."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        total = sum(len(e.content) for e in entries if e.name.startswith("tables/"))
        return report._replace(total_bytes=total)


class BytesOfFolders(_Reporting):
    """total_bytes has 4096 for each folder."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        folders = sum(entry.is_folder for entry in entries)
        return report._replace(total_bytes=report.total_bytes + 4096 * folders)


class BytesInTheArchive(_Reporting):
    """total_bytes is about the compressed size."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        compressed_bytes = gzip.compress(b"".join(entry.content for entry in entries), 1)
        return report._replace(total_bytes=len(compressed_bytes))


class BytesOfBlocks(_Reporting):
    """total_bytes counts whole blocks of tar."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        total = sum(-(-len(entry.content) // 512) * 512 for entry in entries)
        return report._replace(total_bytes=total)


class BytesOf32Bits(_Reporting):
    """total_bytes wraps at 64 KiB, for want of a file that wraps at 4 GiB."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        return report._replace(total_bytes=report.total_bytes % 2**16)


class NoBytes(_Reporting):
    """total_bytes is 0."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        return report._replace(total_bytes=0)


class TablesAreFiles(_Reporting):
    """tables_restored counts files."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        return report._replace(tables_restored=sum(not entry.is_folder for entry in entries))


class TablesHaveLogs(_Reporting):
    """tables_restored counts only folders with a version.log."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        logs = sum(entry.name.endswith("/version.log") for entry in entries)
        return report._replace(tables_restored=logs)


class LooseFilesAreTables(_Reporting):
    """tables_restored counts whatever is in tables/."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        within = [e for e in entries if e.name.startswith("tables/") and e.name.count("/") == 1]
        return report._replace(tables_restored=len(within))


class Seconds(_Reporting):
    """duration_ms is in seconds."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        return report._replace(duration_ms=report.duration_ms // 1000)


class Microseconds(_Reporting):
    """duration_ms is in microseconds."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        return report._replace(duration_ms=report.duration_ms * 1000)


class AlwaysOne(_Reporting):
    """duration_ms is 1."""

    def said(self, report: RestoreReport, entries: list[Entry]) -> RestoreReport:
        return report._replace(duration_ms=1)
