"""Where something may be said in a recording: voiced stretches, windows over them, and one of hits that overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_BLOCK = 0.01  # seconds
_SMOOTHED = 3  # blocks over which the power is averaged
_RELATIVE_GATE = 10 ** (-10 / 10)  # ITU-R BS.1770: 10 dB below the mean
_BELOW = 10 ** (-35 / 10)  # keeps 99.3 % of the time inside the words of the TIMIT sample, and 43 % of the time outside
_SILENCE = 10 ** (-80 / 10)  # of a full scale of 1: 18 dB above the rounding noise of 16 bits
_PAUSE = 0.2  # seconds: shorter ones are inside of words, as the closures of stops are
_CLICK = 0.05  # seconds


def voiced_stretches(samples: np.ndarray, rate: int) -> np.ndarray:
    """The stretches of a recording in which there is sound, by its energy.

    The power of blocks of 10 ms, averaged over three of them, counts as sound if it is at most 35 dB below the loudness
    of the recording, and above -80 dB of full scale. The loudness is gated as in ITU-R BS.1770: the mean power of the
    blocks that are no silence gives a gate 10 dB below it, and the mean of the blocks above the gate is the loudness,
    so that long pauses do not count. A constant offset is taken out before. Pauses shorter than 0.2 s are bridged, and
    stretches that are shorter than 0.05 s then are left out as clicks.

    Args:
        samples: float32 array `(samples,)`, in [-1, 1].
        rate: samples per second.

    Returns:
        int64 array `(stretches, 2)`: first sample, and the one after the last; in order, and not touching. Empty for a
        recording that is silent.

    Example:
        >>> tone = np.sin(np.arange(8000) * 0.3).astype("float32")
        >>> voiced_stretches(np.concatenate([np.zeros(4000, np.float32), tone]), rate=8000).tolist()
        [[3920, 12000]]
    """
    block = max(round(_BLOCK * rate), 1)
    power = _block_power(samples, block)
    sounding = power[power > _SILENCE]
    if not sounding.size:
        return np.zeros((0, 2), np.int64)
    loudness = sounding[sounding >= _RELATIVE_GATE * sounding.mean()].mean()
    voiced = (power > _SILENCE) & (power >= _BELOW * loudness)
    first, last = np.flatnonzero(np.diff(voiced, prepend=False, append=False)).reshape(-1, 2).T
    pauses = (first[1:] - last[:-1]) * block >= round(_PAUSE * rate)
    stretches = np.stack([first[np.append(True, pauses)], last[np.append(pauses, True)]], axis=1) * block
    stretches = np.minimum(stretches, len(samples))  # the last block may be a part of one
    return stretches[np.diff(stretches).ravel() >= min(round(_CLICK * rate), len(samples))]


def _block_power(samples: np.ndarray, block: int) -> np.ndarray:
    """Smoothed mean square of each block, float64; what is left at the end is a block, too."""
    centred = samples - samples.mean(dtype=np.float64).astype(np.float32)
    whole = len(samples) // block * block
    blocks = centred[:whole].reshape(-1, block)
    power = np.einsum("bs,bs->b", blocks, blocks).astype(np.float64) / block
    if whole < len(samples):
        power = np.append(power, np.square(centred[whole:], dtype=np.float64).mean())
    weights, width = np.ones(_SMOOTHED), _SMOOTHED // 2
    smoothed = np.convolve(power, weights)[width : width + len(power)]
    return smoothed / np.convolve(np.ones(len(power)), weights)[width : width + len(power)]


def voiced_windows(samples: np.ndarray, rate: int, lengths: Sequence[float], hop: float) -> np.ndarray:
    """The windows over the voiced stretches of a recording; see `voiced_stretches` and `sliding_windows`.

    Args:
        samples: float32 array `(samples,)`, in [-1, 1].
        rate: samples per second.
        lengths: of windows, in seconds.
        hop: from one window to the next of its length, in seconds.

    Returns:
        int64 array `(windows, 2)`: first sample, and the one after the last.
    """
    sizes = [round(length * rate) for length in lengths]
    return sliding_windows(voiced_stretches(samples, rate), sizes, round(hop * rate))


def sliding_windows(stretches: np.ndarray, lengths: Sequence[int], hop: int) -> np.ndarray:
    """Windows of several lengths over each stretch.

    Windows of a length begin a hop after another, and the last one ends where the stretch ends. A stretch that is
    shorter than some of the lengths is one window itself, in place of all of those: a word that stands alone is found
    as a whole.

    Args:
        stretches: int array `(stretches, 2)`: first sample, and the one after the last.
        lengths: of windows, in samples.
        hop: samples from the beginning of a window to that of the next; at most the shortest length, so that every
            sample of a stretch is in a window.

    Returns:
        int64 array `(windows, 2)`, ordered by beginning, then by end; each window once.

    Raises:
        ValueError: if there are no lengths, or the hop is not between 1 and the shortest one.

    Example:
        >>> sliding_windows(np.array([[0, 3], [10, 20]]), lengths=[4, 8], hop=3).tolist()
        [[0, 3], [10, 14], [10, 18], [12, 20], [13, 17], [16, 20]]
    """
    if not lengths or not 1 <= hop <= min(lengths):
        raise ValueError(f"hop must be between 1 and the shortest of lengths, got hop={hop} and lengths={lengths}")
    begins, sizes = stretches[:, 0].astype(np.int64), np.diff(stretches).ravel().astype(np.int64)
    alone = (sizes < max(lengths)) & ~np.isin(sizes, lengths)
    parts = [np.stack([begins[alone], begins[alone] + sizes[alone]], axis=1)]
    for length in sorted(set(lengths)):
        fits = sizes >= length
        room = sizes[fits] - length  # how far the last window is from the first
        counts = 1 + -(-room // hop)
        firsts = np.repeat(np.cumsum(counts) - counts, counts)
        offsets = np.minimum((np.arange(counts.sum()) - firsts) * hop, np.repeat(room, counts))
        starts = np.repeat(begins[fits], counts) + offsets
        parts.append(np.stack([starts, starts + length], axis=1))
    windows = np.concatenate(parts)
    return windows[np.lexsort((windows[:, 1], windows[:, 0]))]


def best_of_overlapping(files: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Merges hits that overlap: from the best to the worst, a hit is kept unless it overlaps one that was kept.

    Two hits of one file overlap if they share more than half of the shorter one. A kept hit stands for all that it
    stopped, with its own bounds: those of the best. So a hit depends on better ones alone, and chains of windows do not
    grow into a hit that is longer than what was searched.

    Args:
        files: int array `(hits,)`, the best hit first; which file each one is in.
        starts: float array `(hits,)`.
        ends: float array `(hits,)`, greater than `starts`.

    Returns:
        int array: the places of the kept hits, in order.

    Example:
        >>> best_of_overlapping(np.array([0, 0, 0]), np.array([1.0, 1.2, 1.5]), np.array([1.6, 1.8, 2.0])).tolist()
        [0, 2]
    """
    left = np.ones(len(files), bool)
    for place in range(len(files)):
        if left[place]:
            later = slice(place + 1, None)
            shared = np.minimum(ends[later], ends[place]) - np.maximum(starts[later], starts[place])
            shorter = np.minimum(ends[later] - starts[later], ends[place] - starts[place])
            left[later] &= (files[later] != files[place]) | (shared <= shorter / 2)
    return np.flatnonzero(left)
