"""The settings of spoken term search."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ...datasets.corpus import Corpus
from ..audio_config import AugmentedAudioConfig
from ..config import EncoderConfig, TaskConfig
from ..speakers import hold_out

# What a term of the archive is trained to restore, or to be near to; and what a report calls it.
VARIANTS = {
    "plain": "autoencoder",
    "denoising": "denoising autoencoder",
    "correspondence": "correspondence autoencoder",
    "siamese": "siamese network",
}


class Config(TaskConfig, AugmentedAudioConfig, EncoderConfig):
    """What can be set for spoken term search."""

    variant: Literal["plain", "denoising", "correspondence", "siamese"] = Field(
        "correspondence",
        description="restore the term, the term from a changed one, another one of its word, or be near to that one",
    )
    pairs: Literal["discovered", "labels"] = Field(
        "discovered", description="where correspondence and siamese have pairs of one word from: DTW, or the labels"
    )
    neighbours: int = Field(10, ge=1, le=100, description="pairs that are discovered for each term, at most")
    across_speakers: bool = Field(True, description="discover pairs of different speakers only, where they are known")
    restoration_epochs: int = Field(
        0, ge=0, description="first epochs in which correspondence restores the term itself, as denoising does"
    )
    held_out_speaker: str | None = Field(
        None, min_length=1, description="train without this speaker, whose terms are then the queries"
    )
    max_seconds: float = Field(5.0, gt=0, le=600, description="longest term; longer ones get an error, not a vector")

    features: Literal["log_mel", "mfcc"] = Field(
        "mfcc", description="log mel energies, or cepstra made of them, of which each counts as much in the loss"
    )
    deltas: bool = Field(True, description="add first and second derivatives of the features over time")
    vector: Literal["recurrent", "downsampled", "mean"] = Field(
        "recurrent", description="what the vector is: the encoder's last state, some of the frames, or their mean"
    )
    embedding_dim: int = Field(128, ge=1, le=4096, description="size of the vector (vector=recurrent)")
    downsampled_frames: int = Field(10, ge=1, le=100, description="frames that are kept (vector=downsampled)")
    length_normalisation: bool = Field(
        False, description="the decoder reads vectors of one length, as a search compares them, not as they are"
    )
    whitening: bool = Field(False, description="decorrelate the vectors, by what the archive's are like")
    whitening_floor: float = Field(
        0.1, gt=0, le=1, description="share of the largest variance that is added to each one before whitening"
    )
    encoder: Literal["simple", "lstm", "gru"] = Field(
        "gru", description="kind of recurrent layer, of encoder and decoder"
    )
    decoder_layers: int = Field(1, ge=1, le=64, description="recurrent layers of the decoder, of as many units")
    connections: Literal["none", "residual"] = Field(
        "none", description="shortcuts between layers, of encoder and decoder"
    )
    temperature: float = Field(0.1, gt=0, le=10, description="of the softmax over a batch's terms (siamese)")
    window_seconds: tuple[Annotated[float, Field(gt=0, le=60)], ...] = Field(
        (0.25, 0.4, 0.6, 0.9), min_length=1, description="lengths of the stretches of which an index is made"
    )
    window_hop: float = Field(0.1, gt=0, le=60, description="from one stretch to the next of its length, in seconds")
    select_by: Literal["restoration_error", "average_precision"] = Field(
        "restoration_error", description="what decides on valid which epoch is kept; the latter needs labels"
    )

    @model_validator(mode="after")
    def _what_learns_vectors_has_weights(self) -> Self:
        if self.variant == "siamese" and self.vector != "recurrent":
            raise ValueError(f"variant=siamese needs vector=recurrent, got vector={self.vector}")
        if self.vector == "mean" and self.normalisation == "utterance":
            raise ValueError("vector=mean needs normalisation=global or none: the mean of a normalised term is 0")
        if self.variant == "siamese" and self.select_by == "restoration_error" and self.keep == "best":
            raise ValueError("variant=siamese restores nothing; it needs select_by=average_precision or keep=last")
        return self

    @model_validator(mode="after")
    def _windows_leave_nothing_out(self) -> Self:
        if self.window_hop > min(self.window_seconds):
            raise ValueError(
                f"window_hop must be at most the shortest of window_seconds, {min(self.window_seconds):g}, "
                f"got {self.window_hop:g}"
            )
        return self

    @model_validator(mode="after")
    def _windows_can_be_encoded(self) -> Self:
        if self.window_hop < self.hop_ms / 1000:
            raise ValueError(f"window_hop must be at least hop_ms={self.hop_ms:g} ms, got {self.window_hop:g} s")
        if max(self.window_seconds) > self.max_seconds:
            raise ValueError(
                f"window_seconds must be at most max_seconds={self.max_seconds:g}, got {max(self.window_seconds):g}"
            )
        return self

    @property
    def changes_input(self) -> bool:
        """Whether training reads changed terms."""
        return self.variant != "plain"

    def chosen(self, corpus: Corpus) -> Corpus:
        """The corpus; of a held-out speaker all is test, and nothing else is."""
        return hold_out(corpus, self.held_out_speaker)
