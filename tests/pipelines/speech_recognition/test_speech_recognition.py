"""Speech recognition from end to end: a tiny run, what it serves, and the user's own recordings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from commands import Commands, tiny

from seqloom.datasets import spoken_words
from seqloom.datasets.audio import Waveform
from seqloom.pipelines.inference import answer_all, load_signatures
from seqloom.pipelines.run import Run
from seqloom.pipelines.speech_recognition.config import Config
from seqloom.pipelines.speech_recognition.data import least_frames
from seqloom.pipelines.waveform_input import checked

TINY = tiny("speech_recognition")


@pytest.fixture(scope="module")
def run(speech_run: Path) -> Run:
    """The finished run, opened once, so that its export is loaded once."""
    return Run.open(speech_run)


@pytest.fixture(scope="module")
def sounds() -> list[Waveform]:
    return [example.sound for example in spoken_words.generate(seed=2, train=12, valid=1, test=1).train]


def requests(sounds: list[Waveform]) -> list[dict[str, Any]]:
    return [{"waveform": sound.samples, "lengths": np.int32(len(sound.samples))} for sound in sounds]


def test_it_learns_to_write_what_is_said(speech_run: Path) -> None:
    metrics = json.loads((speech_run / "metrics.json").read_text())
    measured = metrics["metrics"]
    assert {"wer", "cer", "ser", "wer_greedy", "wer_beam", "wer_beam_lm"} <= set(measured)
    for name, baseline in metrics["baselines"].items():
        assert measured["wer"] < 0.7 * baseline["wer"], name
    assert measured["wer"] == measured["wer_beam_lm"]


def test_the_language_model_was_tuned_on_valid(speech_run: Path) -> None:
    tuning = json.loads((speech_run / "checkpoints" / "tuning.json").read_text())
    best = min(min(row) for row in tuning["wer"])
    place = tuning["bonuses"].index(tuning["bonus"]), tuning["weights"].index(tuning["weight"])
    assert tuning["wer"][place[0]][place[1]] == best
    assert tuning["wer"][tuning["bonuses"].index(0.0)][tuning["weights"].index(0.0)] == tuning["without"]


def test_the_report_shows_and_plays_the_worst(speech_run: Path) -> None:
    rows = [json.loads(line) for line in (speech_run / "predictions.jsonl").read_text().splitlines()]
    assert any("inspection" in row for row in rows)
    report = (speech_run / "report.html").read_text()
    assert "<audio controls" in report
    assert "data:audio/wav;base64," in report


def test_an_answer_does_not_depend_on_its_batch(run: Run, sounds: list[Waveform]) -> None:
    together = run.answer(requests(sounds))
    for sound, answer in zip(sounds, together, strict=True):
        [alone] = run.answer(requests([sound]))
        assert alone["text"] == answer["text"]
        assert alone["words"] == answer["words"]
        for name in ("confidence", "word_confidences", "word_starts", "word_ends"):
            np.testing.assert_allclose(alone[name], answer[name], atol=1e-4)


def test_words_have_their_place_in_the_recording(run: Run, sounds: list[Waveform]) -> None:
    for sound, answer in zip(sounds, run.answer(requests(sounds)), strict=True):
        assert answer["text"].split() == answer["words"]
        starts, ends = answer["word_starts"], answer["word_ends"]
        assert all(0 <= start < end <= sound.seconds + 0.05 for start, end in zip(starts, ends, strict=True))
        assert all(before <= start for before, start in zip(ends, starts[1:], strict=False))
        assert all(0 < confidence <= 1 for confidence in answer["word_confidences"])
        assert 0 <= answer["confidence"] <= 1


def test_every_decoder_is_a_signature(run: Run, sounds: list[Waveform]) -> None:
    signatures = load_signatures(run.directory.saved_model)
    assert set(signatures) == {"serving_default", "greedy", "beam", "beam_lm", "posteriors"}
    server = run.pipeline.server_class
    answers = {
        name: answer_all(signatures[name], requests(sounds), server.others[name])
        for name in ("greedy", "beam", "beam_lm")
    }
    assert [answer["text"] for answer in answers["beam_lm"]] == [row["text"] for row in run.answer(requests(sounds))]
    [found] = answer_all(signatures["posteriors"], requests(sounds[:1]), server.others["posteriors"])
    probabilities = np.array(found["probabilities"])[: found["steps"]]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    blanks = (probabilities.argmax(axis=1) == probabilities.shape[1] - 1).mean()
    assert answers["greedy"][0]["blank_share"] == pytest.approx(blanks, abs=1e-6)


def test_the_rate_stands_where_a_client_looks(speech_run: Path) -> None:
    assert json.loads((speech_run / "export" / "request_example.json").read_text())["sampling_rate"] == 8000
    documentation = json.loads((speech_run / "export" / "1" / "assets.extra" / "documentation.json").read_text())
    assert documentation["serving_default"]["sampling_rate"] == 8000
    assert documentation["serving_default"]["inputs"]["waveform"] == {"dtype": "float32", "shape": [-1, -1]}
    assert "sampling rate" in documentation["serving_default"]["documentation"]


def test_a_recording_of_any_kind_is_answered(
    command: Commands, speech_run: Path, sounds: list[Waveform], tmp_path: Path
) -> None:
    """The same sound as FLAC, in stereo, with more bits or fewer, and at another rate gives the same text."""
    samples, rate = sounds[0].samples, sounds[0].rate
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "b.flac", samples, rate, subtype="PCM_24")
    soundfile.write(tmp_path / "c.wav", np.stack([samples, samples], axis=1), rate, subtype="FLOAT")
    soundfile.write(tmp_path / "d.wav", samples, rate, subtype="PCM_U8")
    fast = np.interp(np.arange(len(samples) * 44100 // rate) * rate / 44100, np.arange(len(samples)), samples)
    soundfile.write(tmp_path / "e.wav", fast, 44100)
    outcome = command("predict", speech_run, *sorted(tmp_path.iterdir()))
    assert outcome.status == 0
    answers = [json.loads(line) for line in outcome.out.splitlines()]
    assert len({answer["text"] for answer in answers}) == 1
    assert answers[0]["text"]
    assert not any(answer["error"] for answer in answers)


def test_bad_recordings_are_named_and_the_rest_answered(
    command: Commands, speech_run: Path, sounds: list[Waveform], tmp_path: Path
) -> None:
    samples, rate = sounds[0].samples, sounds[0].rate
    bad = {
        "missing.wav": "is missing",
        "empty.wav": "empty",
        "text.wav": "text.wav",
        "truncated.flac": "truncated.flac",
        "nan.wav": "not finite",
        "nothing.wav": "no samples",
        "silence.wav": "silent",
        "long.wav": "longer than 60 seconds",
        "cepstra.mfc": "reads sound",
    }
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("not a recording")
    soundfile.write(tmp_path / "whole.flac", np.random.default_rng(0).normal(scale=0.1, size=8000), rate)
    (tmp_path / "truncated.flac").write_bytes((tmp_path / "whole.flac").read_bytes()[:3000])
    soundfile.write(tmp_path / "nan.wav", np.where(np.arange(len(samples)) == 9, np.nan, samples), rate, "FLOAT")
    soundfile.write(tmp_path / "nothing.wav", samples[:0], rate)
    soundfile.write(tmp_path / "silence.wav", np.zeros(4000), rate)
    soundfile.write(tmp_path / "long.wav", np.tile(samples, 600 * rate // len(samples)), rate)
    (tmp_path / "cepstra.mfc").write_bytes(b"\0\0\0\r" + np.zeros(13, ">f4").tobytes())
    soundfile.write(tmp_path / "good.wav", samples, rate)
    outcome = command("predict", speech_run, *(tmp_path / name for name in bad), tmp_path / "good.wav")
    assert outcome.status == 2
    *answers, good = [json.loads(line) for line in outcome.out.splitlines()]
    assert good["error"] == ""
    for (name, reason), answer in zip(bad.items(), answers, strict=True):
        assert reason in answer["error"], name
        assert answer["text"] == ""
        assert answer["words"] == answer["word_starts"] == []
        assert set(answer) == set(good)


@pytest.mark.parametrize(
    ("values", "length", "reason"),
    [
        (np.ones(4), 0, "empty"),
        (np.ones(4), 6, "longer than"),
        (np.ones(4), 5, "beyond"),
        (np.array([1, np.nan, 1, 1]), 4, "finite"),
        (np.array([1, 1, 1, np.inf]), 3, ""),
    ],
    ids=["empty", "long", "beyond", "nan", "padding"],
)
def test_a_row_that_cannot_be_read_leaves_the_others_alone(values: np.ndarray, length: int, reason: str) -> None:
    batch = tf.constant(np.stack([values, np.arange(4.0)]), tf.float32)
    read, lengths, error = checked(batch, tf.constant([length, 3]), 5, "5 samples")
    assert reason in error[0].numpy().decode()
    assert bool(error[0].numpy()) == bool(reason)
    assert lengths.numpy().tolist() == [1 if reason else length, 3]
    assert np.isfinite(read.numpy()).all()
    np.testing.assert_array_equal(read[1], [0, 1, 2, 0])


def test_transcripts_that_cannot_be_aligned_are_left_out_and_counted(run: Run) -> None:
    good, *_ = spoken_words.generate(seed=3, train=2, valid=1, test=1).train
    frames = len(good.sound.samples) // 80
    wordy = type(good)("wordy", "a" * (frames // 4), good.sound)
    long = type(good)("long", "a", Waveform(np.tile(good.sound.samples, 80), good.sound.rate))
    silent = type(good)("silent", "a", Waveform(np.zeros(4000, np.float32), good.sound.rate))
    kept, left_out = run.pipeline.usable([good, wordy, long, silent])
    assert kept == [good]
    assert sorted(left_out.values()) == [1, 1, 1]
    assert least_frames(["aab"], Config(subsampling=4)) == [13]


def write_folder(folder: Path, sounds: list[Waveform], transcript: str = "Go LEFT") -> Path:
    folder.mkdir()
    for number, sound in enumerate(sounds):
        soundfile.write(folder / f"{number}.wav", sound.samples, sound.rate)
    for split, part in (("train", range(8)), ("valid", range(8, 10)), ("test", range(10, 12))):
        (folder / f"{split}.tsv").write_text("".join(f"{number}.wav\t{transcript}\n" for number in part))
    return folder


def test_a_folder_of_recordings(command: Commands, sounds: list[Waveform], tmp_path: Path) -> None:
    """Without a language model; in test stands a character that train lacks."""
    folder = write_folder(tmp_path / "mine", sounds)
    (folder / "test.tsv").write_text("10.wav\tgo left!\n11.wav\tgo\n")
    counts = command("list", "speech_recognition", "--dataset", folder)
    assert counts.status == 0
    flags = ("--epochs", 1, "--set", "language_model=none", "--set", "decoder=greedy", "--set", "normalisation=global")
    outcome = command(
        "run", "speech_recognition", "--dataset", folder, "--config", TINY, *flags, "--run_dir", tmp_path / "run"
    )
    assert outcome.status == 0, outcome.err
    rows = [json.loads(line) for line in (tmp_path / "run" / "predictions.jsonl").read_text().splitlines()]
    assert [row["unseen_characters"] for row in rows] == [["!"], []]
    assert rows[0]["gold"]["text"] == "go left!"
    alphabet = (tmp_path / "run" / "preprocessor" / "characters.txt").read_text()
    assert alphabet.split("\n") == [" ", *"efglot", ""]
    assert set(rows[0]["decoders"]) == {"greedy", "beam"}
    assert set(load_signatures(tmp_path / "run" / "export" / "1")) == {
        "serving_default",
        "greedy",
        "beam",
        "posteriors",
    }


def test_a_test_recording_that_cannot_be_read_is_a_wrong_answer(
    command: Commands, speech_run: Path, sounds: list[Waveform], tmp_path: Path
) -> None:
    """It is named, and the others are scored all the same."""
    folder = write_folder(tmp_path / "mine", sounds)
    broken = np.where(np.arange(4000) == 9, np.nan, 0.1)
    soundfile.write(folder / "11.wav", broken, sounds[0].rate, "FLOAT")
    outcome = command("evaluate", speech_run, "--dataset", folder)
    assert outcome.status == 0, outcome.err
    rows = [
        json.loads(line)
        for line in (speech_run / "evaluations" / "mine-test" / "predictions.jsonl").read_text().splitlines()
    ]
    assert rows[0]["predicted"]["error"] == ""
    assert "11.wav holds samples that are not finite" in rows[1]["predicted"]["error"]
    shutil.rmtree(speech_run / "evaluations")


def test_features_for_a_model_of_sound(
    command: Commands, speech_run: Path, sounds: list[Waveform], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(12):
        frames = np.random.default_rng(number).normal(size=(80, 13)).astype(">f4")
        (folder / f"{number}.mfc").write_bytes(frames.size.to_bytes(4, "big") + frames.tobytes())
    for split in ("train", "test"):
        (folder / f"{split}.tsv").write_text("".join(f"{number}.mfc\tgo\u00a0left\n" for number in range(12)))
    command("evaluate", speech_run, "--dataset", folder).refused("input must be what mine has", "input=features")
    flags = ("train", "speech_recognition", "--dataset", folder, "--config", TINY, "--epochs", 1, "--set")
    run_dir = ("--run_dir", tmp_path / "run")
    command(*flags, "input=features", *run_dir).refused("--set features=mfcc --set coefficients=13")
    outcome = command(*flags, "input=features", "--set", "features=mfcc", *run_dir)
    assert outcome.status == 0, outcome.err
    assert (tmp_path / "run" / "preprocessor" / "words.txt").read_text() == "go\nleft\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0.wav", "no tab"),
        ("0.wav\t ", "transcript"),
        ("../outside.wav\tgo", "leaves"),
        ("/etc/passwd\tgo", "/etc/passwd"),
        ("none.wav\tgo", "missing"),
        ("0.wav\tgo", "already"),
    ],
)
def test_a_bad_line_of_a_manifest(
    command: Commands, sounds: list[Waveform], tmp_path: Path, line: str, reason: str
) -> None:
    folder = write_folder(tmp_path / "mine", sounds)
    with (folder / "train.tsv").open("a") as file:
        file.write(line + "\n")
    shutil.copy(folder / "0.wav", tmp_path / "outside.wav")
    command("list", "speech_recognition", "--dataset", folder).refused("train.tsv, line 9", reason)


def test_settings_that_do_not_fit(command: Commands) -> None:
    flags = ("run", "speech_recognition", "--config", TINY, "--set")
    command(*flags, "language_model=none").refused("decoder=beam_lm needs")
    command(*flags, "kernel_size=4").refused("kernel_size must be odd")
    command(*flags, "held_out_speaker=nobody").refused("held_out_speaker must be a speaker of", "'nobody'")
    command(*flags, "input=features").refused("input=waveform")


def test_a_held_out_speaker_is_all_of_test() -> None:
    corpus = spoken_words.generate(seed=0, train=40, valid=8, test=20)
    speaker = corpus.train[0].speaker
    chosen = Config(held_out_speaker=speaker).chosen(corpus)
    everything = [one for part in corpus.splits().values() for one in part]
    assert {one.speaker for one in chosen.test} == {speaker}
    assert len(chosen.test) == sum(one.speaker == speaker for one in everything)
    assert speaker not in {one.speaker for one in (*chosen.train, *chosen.valid)}


@pytest.mark.real_data
def test_features_in_the_place_of_sound(command: Commands, data_dir: Path, tmp_path: Path) -> None:
    """AN4: its cepstra are the input, train and valid share no speaker, and a recording is refused.

    The language model is one of characters here.
    """
    an4 = TINY.parent / "an4.yaml"
    small = ("--set", "units=16", "--set", "num_layers=1", "--set", "channels=16", "--epochs", 1, "--limit", 40)
    characters = ("--set", "language_model=character", "--set", "order=4")
    flags = ("--dataset", "an4", "--config", an4, *small, "--set", "beam_width=2", *characters)
    assert command("run", "speech_recognition", *flags, "--run_dir", tmp_path / "run").status == 0
    file = next((data_dir / "an4_mfcc" / "feat").rglob("*.mfc"))
    answer = json.loads(command("predict", tmp_path / "run", file).out)
    assert answer["error"] == ""
    outcome = command("predict", tmp_path / "run", tmp_path / "a.wav")
    assert outcome.status == 2
    assert "not sound" in json.loads(outcome.out)["error"]
    opened = Run.open(tmp_path / "run")
    train, valid = ({one.speaker for one in part} for part in (opened.splits.train, opened.splits.valid))
    assert not train & valid
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["examples"] == 130
