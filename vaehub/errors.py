"""The two ways a run can end badly."""


class UsageError(Exception):
    """Something the user can mend: one line that says what, where and what to do (exit code 2)."""


class RunFailed(Exception):
    """A run that started well and broke: NaN loss, out of memory, a full disk (exit code 1)."""
