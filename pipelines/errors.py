"""The errors that a user can cause and a user can mend."""


class UserError(Exception):
    """One sentence that says what is wrong and what to do; the command line prints it and exits with 2."""


class Interrupted(Exception):
    """Training was stopped by the user after its state was saved; says how to go on."""
