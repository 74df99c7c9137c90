"""The version of the stored schema, and what each bump changed.

A store written by another version is refused at start-up with both numbers and the remedy.
"""

from typing import Final

SCHEMA_VERSION: Final = 1
"""1: first layout."""

RULE_VERSION: Final = 1
"""Version of the settling rules; derived rows of an older version are settled again. 1: first rules."""
