"""Verdicts as JUnit XML, which every CI server shows: a test suite a candidate, a test case a gate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from atanor.evaluate.decision import checks_of
from atanor.evaluate.report import Report

_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that no XML document can hold."""


def junit(reports: Sequence[Report]) -> str:
    """One document for several candidates.

    A gate that is not reached is a failure of the type `fail` or `cannot tell`; each metric's change with its interval
    is a property of its suite.
    """
    root = ET.Element("testsuites", name="atanor")
    for report in reports:
        checks = checks_of(report)
        missed = [check for check in checks if not check.passed]
        name = f"{report.project} {report.role}"
        suite = ET.SubElement(root, "testsuite", name=f"{name} {report.candidate}", timestamp=report.created)
        suite.attrib |= {"tests": str(len(checks)), "failures": str(len(missed)), "errors": "0"}
        told = ET.SubElement(suite, "properties")
        for key, value in _properties(report).items():
            ET.SubElement(told, "property", name=key, value=value)
        for check in checks:
            case = ET.SubElement(suite, "testcase", classname=name, name=check.gate)
            if check.passed:
                ET.SubElement(case, "system-out").text = check.reason
            else:
                kind = "cannot tell" if check.undecided else "fail"
                ET.SubElement(case, "failure", type=kind, message=check.reason)
    for element in root.iter():
        element.text = None if element.text is None else _NO_XML.sub("\ufffd", element.text)
        element.attrib = {key: _NO_XML.sub("\ufffd", value) for key, value in element.attrib.items()}
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _properties(report: Report) -> dict[str, str]:
    found = {"verdict": str(report.verdict), "headline": report.headline, "base": report.base}
    for one in report.comparisons:
        change = f"{one.change:+.6g} [{one.low:+.6g}, {one.high:+.6g}]"
        found[one.metric] = f"{one.baseline:.6g} -> {one.candidate:.6g}, {change}, {one.verdict}"
    return found
