"""The largest sizes of everything that comes from outside: one table for pages, command line and engine."""

# Messages repeat a value only up to here, so that a hostile value fills neither a page nor a log.
SHOWN_CHARACTERS = 200
RULE_CHARACTERS = 1_000  # of the rule, and of the remedy, which may name the choices

PROBLEM_BYTES = 1_000_000
FORMULA_CHARACTERS = 2_000
NAME_CHARACTERS = 100  # of a model or a method
RUN_ID_CHARACTERS = 200  # file systems allow 255 bytes, and temporary names are longer

JSON_DEPTH = 50  # lists and objects inside each other; Python's own reader fails at about 1,000
INTEGER_DIGITS = 19  # about 64 bits: times in nanoseconds have 19
DOCUMENT_BYTES = 4_000_000  # a JSON file of a run, which may hold a copy of the problem
RECORDS_BYTES = 100_000_000  # progress.jsonl: 500 records of a few hundred bytes
CARD_BYTES = 1_000_000
WEIGHTS_BYTES = 2_000_000_000
