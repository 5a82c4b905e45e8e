"""Texts in tables that people open in a spreadsheet: none of them is a formula there."""

import re

FORMULA = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - some spreadsheets take the wide ones for formulas, too
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, "CSV Injection"); numbers stay numbers."""
    return f"'{text}" if text and text[0] in FORMULA and not NUMBER.fullmatch(text) else text
