"""What the rules of a scheme answer. An edition is data, loaded from a TOML text; no level or element is named in code.

``edition`` holds the questions, ``grading`` and ``sampling`` their longer answers; ``scheme_file`` reads the text with
``toml_table``, ``scheme_checks`` refuses what does not hold together, ``scheme_terms`` are the parts read.
"""

from lifecycle.rules.edition import Edition, edition_in_force, load_edition, shipped_editions
from lifecycle.rules.grading import Grade, MalformedFindings
from lifecycle.rules.number_template import SerialOutOfSeries, normalise_number
from lifecycle.rules.scheme_terms import MalformedEdition, Parameter

__all__ = [
    "Edition",
    "Grade",
    "MalformedEdition",
    "MalformedFindings",
    "Parameter",
    "SerialOutOfSeries",
    "edition_in_force",
    "load_edition",
    "normalise_number",
    "shipped_editions",
]
