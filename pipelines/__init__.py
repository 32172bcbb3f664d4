"""The tasks of seqloom, a folder each, and beside them the machinery that all tasks share.

`pipeline.py` is the page to read first: it says what a task supplies and what it gets.
"""
