"""The version of the stored schema, and what each bump changed.

The collector brings an older store up to date (`sql/migrations`); a newer one it refuses with both numbers.
"""

from typing import Final

SCHEMA_VERSION: Final = 7
"""1: first layout. 2: verdicts, evidence from logs, markers, roll-ups. 3: what was removed, what was redacted.
4: failures say of themselves whose they are.
5: who sent spans is counted by the minute; ids of runs and traces are not packed.
6: roll-ups by the hour and by the day have tables of their own.
7: of the failures of a run one stands for the run, one for each code and one for each step; a run holds the
words of its steps."""

RULE_VERSION: Final = 7
"""Version of the settling rules; derived rows of an older version are settled again in the background.

1: first rules. 2: retries told by events, redone work, what may hide retries, contracts, calls that vary little.
3: errors in a text block's JSON, empty look-ups told in words, turns of OpenAI Agents, cut answers without nodes.
4: a check that said no is part of the fail-open it led to.
5: an evaluator of tool correctness judges the route.
6: an effect made twice outranks a repeated call; tools tell their status in an attribute; calls stay in their trace.
7: more frameworks' words; a status has one code; what hides a failure may tell of another; cancelled runs, cut turns.
"""
