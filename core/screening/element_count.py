"""Limit of the screen of the number of elements."""

MAX_SCREENED_ELEMENTS = 9  # "fewer than 10 elements" (KIAGO 3.1): SuperCon has at most nine
