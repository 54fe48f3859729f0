"""Statement texts: what traces say of SQL, its values left out."""

import re
from functools import lru_cache

# Constants of ours, and ids of tenants in what opens a transaction.
_LITERAL = re.compile(r"'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_STEP = re.compile(
    r"\b(?P<verb>begin|commit|rollback|set|select|copy)\b"
    r"|\b(?P<write>insert\s+into|(?<!for )(?<!key )(?<!do )update|delete\s+from|merge\s+into)\s+(?P<written>[\w.]+)"
    r"|\b(?:(?<!distinct )from|join)\s+(?:lateral\s+|only\s+)?(?!unnest\b|excluded\b)(?P<read>[a-z_][\w.]*)",
    re.IGNORECASE,
)
_ALONE = ("BEGIN", "COMMIT", "ROLLBACK", "SET")
_LONGEST_SUMMARY = 255


@lru_cache(maxsize=2_000)
def without_values(sql: str) -> str:
    """The text with `?` for each literal; parameters are not in it anyway."""
    return _LITERAL.sub("?", sql)


@lru_cache(maxsize=2_000)
def summary(sql: str) -> str:
    """What is done to which tables, in the order of the text: `SELECT orders customers`, `INSERT stock`."""
    words: list[str] = []
    for step in _STEP.finditer(without_values(sql)):
        said = step["verb"] or step["read"]
        if step["verb"]:
            said = said.upper()
        elif step["write"]:
            said = f"{step['write'].split()[0].upper()} {step['written']}"
        if said in _ALONE and words:
            continue  # what else is sent with it, or `set` of an update
        if said not in words:
            words.append(said)
        if said in _ALONE:
            break
    return " ".join(words)[:_LONGEST_SUMMARY] or "SQL"
