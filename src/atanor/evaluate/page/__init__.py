"""The HTML report."""

from atanor.evaluate.report import Report


def render_html(report: Report) -> str:
    return f"<html>{report.headline}</html>"
