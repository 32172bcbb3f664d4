"""The settings of speech recognition."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Self

from pydantic import Field, model_validator

from ...datasets.audio import FrameMatrix
from ...datasets.corpus import Corpus, DataError
from ...datasets.utterance import Utterance
from ..config import AudioConfig, EncoderConfig, RecurrentLayer, TaskConfig
from ..registry import suggestion

# From the simplest one on, and what a report calls them.
DECODERS = {
    "greedy": "best path",
    "beam": "prefix beam",
    "beam_lm": "prefix beam, n-grams",
}


class Config(TaskConfig, AudioConfig, EncoderConfig):
    """What can be set for speech recognition."""

    input: Literal["waveform", "features"] = Field(
        "waveform", description="what is given: sound, or features that were made as the settings of features say"
    )
    held_out_speaker: str | None = Field(
        None, min_length=1, description="train without this speaker, test on all that he or she says"
    )
    lowercase: bool = Field(True, description="write what is heard in lower case; transcripts are read so too")
    max_seconds: float = Field(60.0, gt=0, le=600, description="longest recording; longer ones get an error, not text")

    channels: int = Field(256, ge=1, le=4096, description="size of the convolutions under the recurrent layers")
    kernel_size: int = Field(5, ge=1, le=31, description="frames that a convolution sees at once; odd")
    subsampling: int = Field(2, ge=1, le=8, description="frames of which the recurrent layers read one")
    encoder: RecurrentLayer = Field("gru", description="kind of recurrent layer; gru is the first to leave the blank")
    num_layers: int = Field(2, ge=1, le=64, description="recurrent layers")
    connections: Literal["none", "residual", "highway", "dense"] = Field(
        "residual", description="shortcuts between layers"
    )
    output_dropout: float = Field(0.3, ge=0, lt=1, description="share of the encoder's outputs set to 0")

    stretch: float = Field(0.15, ge=0, lt=0.7, description="training hears speech slower or faster by up to this share")
    vocal_tract: float = Field(
        0.12, ge=0, lt=0.5, description="training hears vocal tracts shorter or longer by up to this share"
    )
    noise: float | None = Field(
        None, ge=0, le=60, description="training hears noise of random colour this many dB below speech, or weaker"
    )
    time_masks: int = Field(2, ge=0, le=20, description="stretches of time hidden in training (SpecAugment)")
    max_time_share: float = Field(0.1, ge=0, le=1, description="longest of them, as a share of the recording")
    frequency_masks: int = Field(1, ge=0, le=20, description="ranges of features hidden in training (SpecAugment)")
    max_frequency_share: float = Field(0.2, ge=0, le=1, description="widest of them, as a share of the features")

    decoder: Literal["greedy", "beam", "beam_lm"] = Field("beam_lm", description="what the served model decodes with")
    beam_width: int = Field(16, ge=1, le=1024, description="prefixes that a beam search keeps")
    language_model: Literal["none", "character", "word"] = Field(
        "word", description="n-grams of the training transcripts that beam_lm counts on"
    )
    unknown_words: bool = Field(True, description="let word n-grams write words that the training transcripts lack")
    order: int = Field(3, ge=1, le=12, description="longest n-gram; 5 to 8 are usual for characters")
    language_model_weight: float | None = Field(
        None, ge=0, le=10, description="weight of its log probability; chosen on valid if not given"
    )
    word_bonus: float | None = Field(
        None, ge=-20, le=20, description="added to the score for each word; chosen on valid if not given"
    )
    select_by: Literal["cer", "wer"] = Field("cer", description="error rate on valid that decides which epoch is kept")

    @model_validator(mode="after")
    def _windows_have_a_middle(self) -> Self:
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {self.kernel_size}")
        return self

    @model_validator(mode="after")
    def _the_decoder_has_its_model(self) -> Self:
        if self.decoder == "beam_lm" and self.language_model == "none":
            raise ValueError("decoder=beam_lm needs language_model=word or character; without one say decoder=beam")
        return self

    @model_validator(mode="after")
    def _noise_is_added_to_spectra(self) -> Self:
        if self.noise is not None and self.features != "log_mel":
            raise ValueError(f"noise needs features=log_mel, got features={self.features}: cepstra do not add up")
        return self

    @property
    def decoders(self) -> tuple[str, ...]:
        """Those that the run has."""
        return tuple(name for name in DECODERS if name != "beam_lm" or self.language_model != "none")

    def chosen(self, corpus: Corpus) -> Corpus:
        """The corpus, which has to be what `input` says; of a held-out speaker all is test, and nothing else is.

        Raises:
            DataError: if the corpus is something else, or has no such speaker, or nobody else.
        """
        every = [one for part in corpus.splits().values() for one in part]
        given = "features" if any(isinstance(one.sound, FrameMatrix) for one in every) else "waveform"
        if given != self.input:
            raise DataError(f"input must be what {corpus.name} has, got input={self.input}; say --set input={given}")
        if self.held_out_speaker is None or not corpus.train:
            return corpus
        speakers = sorted({one.speaker for one in every if one.speaker})
        if self.held_out_speaker not in speakers:
            known = ", ".join(speakers) or "none that are named"
            raise DataError(
                f"held_out_speaker must be a speaker of {corpus.name} ({known}), got "
                f"{self.held_out_speaker!r}{suggestion(self.held_out_speaker, speakers)}"
            )
        return _held_out(corpus, self.held_out_speaker)


def _held_out(corpus: Corpus[Utterance], speaker: str) -> Corpus[Utterance]:
    every = [one for part in corpus.splits().values() for one in part]
    train = [one for one in corpus.train if one.speaker != speaker]
    if not train:
        raise DataError(f"held_out_speaker={speaker} leaves nothing to train on in {corpus.name}")
    left_out = sum(one.speaker != speaker for one in corpus.test or [])
    return replace(
        corpus,
        train=train,
        valid=corpus.valid and [one for one in corpus.valid if one.speaker != speaker],
        test=[one for one in every if one.speaker == speaker],
        notes=corpus.notes | {"test utterances of other speakers left out by held_out_speaker": left_out},
    )
