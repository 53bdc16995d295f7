"""The two ways a run can end badly."""


class UsageError(Exception):
    """Something the user can mend: one line that says what, where and what to do (exit code 2).

    >>> raise UsageError("n: should be a whole number of at least 1, not 0")
    Traceback (most recent call last):
    vaehub.errors.UsageError: n: should be a whole number of at least 1, not 0
    """


class RunFailed(Exception):
    """A run that started well and broke: NaN loss, out of memory, a full disk (exit code 1).

    >>> raise RunFailed("the loss is not a number at step 40; lower optimizer.lr")
    Traceback (most recent call last):
    vaehub.errors.RunFailed: the loss is not a number at step 40; lower optimizer.lr
    """
