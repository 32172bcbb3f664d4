"""Boolean masks from explicit lengths."""

from keras import ops


def sequence_mask(lengths, maxlen):
    """Marks the real steps of right-padded sequences.

    Args:
        lengths: int tensor of any shape, valid steps of each sequence.
        maxlen: int or scalar int tensor, number of steps of the padded sequences.

    Returns:
        bool tensor of shape `lengths.shape + (maxlen,)`, `True` where a step is real.

    Example:
        >>> sequence_mask(ops.array([1, 3]), 3).numpy().tolist()
        [[True, False, False], [True, True, True]]
    """
    return ops.arange(maxlen, dtype="int32") < ops.expand_dims(ops.cast(lengths, "int32"), -1)
