"""What a person or a scheduler starts: the command line and the steps of a run.

Holds no business rules: those live in `sources`, `transforms` and `warehouse`.
"""
