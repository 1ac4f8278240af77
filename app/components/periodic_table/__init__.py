"""The clickable periodic table: which elements a design may contain, must not contain, or must contain.

The browser draws every click at once and sends the whole table with a revision that rises with each action. Python
keeps the authoritative state and answers with its table and the last revision that it processed; the browser ignores an
answer older than its own last action. A change by the program (a preset) raises the generation: the browser then takes
over the table from Python, and actions made on an earlier generation are void.
"""
