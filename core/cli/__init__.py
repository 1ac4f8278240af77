"""The command line: one module per command, and what the commands share. Start it with python -m core."""
