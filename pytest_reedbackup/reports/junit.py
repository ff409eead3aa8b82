"""The report as JUnit XML (--junitxml), of a run of the suite.

One test suite an implementation and contract, one test case a case, with the id
as its name. What makes the verdict bad is a failure or an error, and nothing else
is: a machine that reads only these two counts comes to the same end as the exit
status.

- a broken promise: `failure` of the type `broken-promise`
- a fault of the adapter, the harness or the machine: `error` of the type `error`
- a case that was not checked: `error` of the type `not-checked`; so is a case that
  the kit skipped, where its rule could not be checked for want of a tool
- a skip, a declared divergence, an undecided bound: `skipped`, of the types `skip`,
  `diverges` and `undecided`
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from pytest_reedbackup.drift.rows import Drift
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports.strip import headline
from pytest_reedbackup.reports.writer import Writer

_TAGS = {
    Outcome.FAIL: ("failure", "broken-promise"),
    Outcome.ERROR: ("error", "error"),
    Outcome.NOT_CHECKED: ("error", "not-checked"),
    Outcome.SKIP: ("skipped", "skip"),
    Outcome.DIVERGES: ("skipped", "diverges"),
    Outcome.UNDECIDED: ("skipped", "undecided"),
}
# Characters that XML 1.0 cannot hold, not even as references.
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JUnitReport(Writer):
    """One document with a test suite for each implementation and contract."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def finish(self, results: Sequence[Result], drift: Drift | None) -> None:
        """Write the document."""
        suites = ElementTree.Element("testsuites", name="pytest-reedbackup")
        for result in results:
            suites.append(_suite(result))
        tree = ElementTree.ElementTree(suites)
        ElementTree.indent(tree)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        tree.write(self._path, encoding="utf-8", xml_declaration=True)


def _suite(result: Result) -> ElementTree.Element:
    cases = [_case(result, outcome) for outcome in result.outcomes]
    tags = Counter(element.tag for case in cases for element in case)
    suite = ElementTree.Element(
        "testsuite",
        name=_xml_text(f"{result.implementation} under contract {result.contract}"),
        tests=str(len(cases)),
        failures=str(tags["failure"]),
        errors=str(tags["error"]),
        skipped=str(tags["skipped"]),
        time=_seconds(sum(outcome.duration_secs for outcome in result.outcomes)),
    )
    suite.append(
        _properties(
            [
                ("verdict", result.statement),
                ("implementation", result.implementation),
                ("contract", result.contract),
            ]
        )
    )
    suite.extend(cases)
    return suite


def _case(result: Result, outcome: CaseOutcome) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        name=_xml_text(outcome.case_id),
        classname=_xml_text(f"{outcome.implementation} under contract {outcome.contract}"),
        time=_seconds(outcome.duration_secs),
    )
    case.append(_properties(_facts(outcome)))
    if outcome.outcome is not Outcome.PASS:
        tag, kind = _TAGS[outcome.outcome]
        if outcome.outcome is Outcome.SKIP and _leaves_rule_unchecked(result, outcome):
            tag, kind = _TAGS[Outcome.NOT_CHECKED]
        message = outcome.divergence or outcome.detail
        ended = ElementTree.SubElement(case, tag, type=kind, message=_xml_text(message))
        ended.text = _xml_text("\n".join(_evidence(outcome)))
    return case


def _leaves_rule_unchecked(result: Result, outcome: CaseOutcome) -> bool:
    unchecked = result.unchecked_rules.get(outcome.rule)
    return unchecked is not None and unchecked.key == outcome.key


def _facts(outcome: CaseOutcome) -> Iterator[tuple[str, str]]:
    yield "case", outcome.case_id
    yield "rule", outcome.rule
    yield "implementation", outcome.implementation
    yield "outcome", outcome.outcome.value
    if outcome.flaky:
        yield "flaky", f"{outcome.attempts} attempts"
    if outcome.defect:
        yield "defect", outcome.defect
    if outcome.measured:
        yield "measured", outcome.figures
    if outcome.sweep is not None:
        yield "points", headline(outcome.sweep)


def _evidence(outcome: CaseOutcome) -> Iterator[str]:
    yield outcome.promise
    if outcome.expected or outcome.found:
        yield f"expected: {outcome.expected}"
        yield f"found: {outcome.found}"
    yield f"repeat: {outcome.repeat}"


def _properties(
    pairs: Sequence[tuple[str, str]] | Iterator[tuple[str, str]],
) -> ElementTree.Element:
    properties = ElementTree.Element("properties")
    for name, value in pairs:
        ElementTree.SubElement(properties, "property", name=name, value=_xml_text(value))
    return properties


def _seconds(secs: float) -> str:
    return f"{secs:.3f}"


def _xml_text(text: str) -> str:
    """Return text as XML can hold it: archives and table names have any bytes."""
    return _NOT_IN_XML.sub(lambda match: f"\\x{ord(match.group()):02x}", text)
