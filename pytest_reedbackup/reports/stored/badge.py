"""The verdict of a run as an SVG badge, for a README."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_reedbackup.model.verdict import Result, Verdict, worst

# White on each of them has the contrast of WCAG 2.2 AA.
_COLOURS = {
    Verdict.DOES_NOT_CONFORM: "#ab1218",
    Verdict.UNDECIDED: "#744700",
    Verdict.DIVERGES: "#0b6330",
    Verdict.CONFORMS: "#0b6330",
}
_LABEL, _CHARACTER, _ROOM = "reedbackup", 6.6, 12


def badge(results: Sequence[Result]) -> str:
    """Return the badge of the worst verdict; of a run that held nothing it says that."""
    shown = worst(results)
    words = shown.statement if shown else "nothing was held"
    colour = _COLOURS[shown.verdict if shown else Verdict.UNDECIDED]
    left, right = (round(len(text) * _CHARACTER + _ROOM) for text in (_LABEL, words))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" \
aria-label="{_LABEL}: {words}">
<title>{_LABEL}: {words}</title>
<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444c54"/>\
<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{left / 2}" y="14" textLength="{left - _ROOM}">{_LABEL}</text>
<text x="{left + right / 2}" y="14" textLength="{right - _ROOM}">{words}</text>
</g>
</svg>
"""
