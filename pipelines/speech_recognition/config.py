"""The settings of speech recognition."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from ...datasets.audio import FrameMatrix
from ...datasets.corpus import Corpus, DataError
from ..audio_config import AugmentedAudioConfig
from ..config import EncoderConfig, RecurrentLayer, TaskConfig
from ..speakers import hold_out

# From the simplest one on, and what a report calls them.
DECODERS = {
    "greedy": "best path",
    "beam": "prefix beam",
    "beam_lm": "prefix beam, n-grams",
}


class Config(TaskConfig, AugmentedAudioConfig, EncoderConfig):
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
        return hold_out(corpus, self.held_out_speaker)
