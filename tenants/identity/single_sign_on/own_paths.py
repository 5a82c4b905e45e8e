"""Where a sign-in may lead to: a path of our own origin, and nowhere else."""

import re

from tenants.foundation.errors import Invalid

LONGEST = 1000
#: A slash and then neither slash nor backslash: `//evil` and `/\\evil` are addresses of other hosts to a browser.
OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
#: Control characters, slashes at the start, backslashes and percent signs, hidden by encoding them.
HIDDEN = re.compile(r"^/%2f|%(?:[01][0-9a-f]|25|5c|7f)", re.IGNORECASE)


def own_path(text: str) -> str:
    """The same text when it is a path of ours. Raises Invalid for whatever could lead a browser elsewhere."""
    if len(text) > LONGEST or not OWN_PATH.fullmatch(text) or HIDDEN.search(text):
        raise Invalid(errors={"next": ["A path of this site, such as /pages/start."]})
    return text
