"""What is packed of recordings comes back."""

import base64
import io
import json

import numpy as np
import pytest
import soundfile

from seqloom.datasets.audio import Waveform
from seqloom.pipelines.reporting.packing import loudness, packed, packed_sound, unpacked


def test_values_come_back_to_one_part_in_255():
    values = np.random.default_rng(0).uniform(size=(7, 5))
    kept = json.loads(json.dumps(packed(values)))
    np.testing.assert_allclose(unpacked(kept), values, atol=0.5 / 255 + 1e-9)
    assert unpacked(packed(np.array([-3.0, 0.0, 1.0, 7.0]))).tolist() == [0, 0, 1, 1]


def test_features_are_as_loud_as_among_others():
    features = np.random.default_rng(0).normal(-5, 3, (30, 4))
    itself = loudness(features)
    assert itself.max() == 1
    assert (itself < 0).mean() == pytest.approx(0.02, abs=0.01)
    np.testing.assert_allclose(loudness(features / 2, like=features), loudness(features / 2 * 3 + 1, features * 3 + 1))
    assert not loudness(np.full((3, 2), 7.0)).any()


@pytest.mark.parametrize(("samples", "kept"), [(50, 50), (100, 100), (160, 100)])
def test_sound_is_a_wav_file_of_the_first_samples(samples, kept):
    sound = np.random.default_rng(0).uniform(-1.2, 1.2, samples).astype(np.float32)
    read, rate = soundfile.read(io.BytesIO(base64.b64decode(packed_sound(Waveform(sound, 8000), longest=100))))
    assert rate == 8000
    np.testing.assert_allclose(read, np.clip(sound[:kept], -1, 1), atol=1e-4)
