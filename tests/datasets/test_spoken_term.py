from __future__ import annotations

import pickle

import numpy as np
import pytest

from seqloom.datasets.audio import AudioFile, Waveform
from seqloom.datasets.spoken_term import Recording, SpokenTerm

SOUND = Waveform(np.linspace(-1, 1, 800, dtype=np.float32), 8000)
RECORDING = Recording("a.wav", SOUND, "ann")


def test_terms_are_grouped_by_speaker_recording_or_name():
    assert SpokenTerm("a", SOUND, speaker="ann", recording=RECORDING, by_speaker=True).group == "ann"
    assert SpokenTerm("a", SOUND, speaker="ann", recording=RECORDING).group == "a.wav"
    assert SpokenTerm("a", SOUND, recording=RECORDING, by_speaker=True).group == "a.wav"
    assert SpokenTerm("a", SOUND, speaker="ann").group == "a"


def test_a_term_is_told_by_what_it_is_and_reaches_other_processes(tmp_path):
    term = SpokenTerm("a", SOUND, "go", "ann", ("g", "ow"), RECORDING, 0.02, 0.06, by_speaker=True)
    assert pickle.loads(pickle.dumps(term)) == term
    assert len({term, pickle.loads(pickle.dumps(term))}) == 1
    assert SOUND.digest in repr(term)
    (tmp_path / "b.wav").write_bytes(b"sound")
    part = SpokenTerm("b", AudioFile(tmp_path / "b.wav", 0.5, 1.0))
    assert part.sound.digest in repr(part)
    assert (part.label, part.speaker, part.phonemes, part.recording) == (None, None, (), None)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": ""}, "name must not be empty"),
        ({"label": ""}, "label must be None or at least one letter, got '' for a"),
        ({"label": " \t"}, "label must be None or at least one letter"),
        ({"start": -1.0}, "start must be a finite number of seconds from 0"),
        ({"start": 1.0, "end": 1.0}, "end must be a finite number of seconds after start"),
        ({"start": 1.0, "recording": None}, "start and end must be those in a recording, got a without a recording"),
        ({"end": 1.0, "recording": None}, "start and end must be those in a recording, got a without a recording"),
    ],
)
def test_what_is_no_term_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        SpokenTerm(**({"name": "a", "sound": SOUND, "recording": RECORDING} | changed))


def test_a_recording_has_a_name():
    with pytest.raises(ValueError, match="name must not be empty"):
        Recording("", SOUND)
