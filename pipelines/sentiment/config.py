"""The settings of sentiment."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..config import ClassifierConfig, EncoderConfig, TaskConfig, WordsConfig

Pooling = Literal["last", "max", "mean", "attention"]
Order = Annotated[int, Field(ge=2, le=4)]


class Config(TaskConfig, ClassifierConfig, EncoderConfig, WordsConfig):
    """What can be set for sentiment."""

    level: Literal["words", "characters"] = Field("words", description="what one step of the recurrence reads")
    max_tokens: int = Field(400, ge=1, description="steps that are read of a longer text; see truncation")
    truncation: Literal["head", "tail", "both"] = Field(
        "both", description="which part of a longer text is read: its beginning, its end, or half of each"
    )
    pooling: list[Pooling] = Field(["max"], min_length=1, description="summaries of the encoder's steps, side by side")
    embedding_dropout: float = Field(
        0.0, ge=0, lt=1, description="share of the vocabulary whose vectors are left out of a training batch"
    )
    output_dropout: float = Field(0.5, ge=0, lt=1, description="share of the summary set to 0")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="of the classes")

    regions: list[Order] = Field([], description="orders of n-grams that have vectors beside those of words")
    region_entries: int = Field(30_000, ge=1, description="n-grams of each order that have a vector, the most frequent")
    linear: list[Order] = Field(
        [], description="orders of n-grams of a linear classifier beside the recurrent one; [] is none"
    )
    linear_start: float = Field(0.01, gt=0, description="first weight of each log-count ratio in it")
    linear_dropout: float = Field(0.5, ge=0, lt=1, description="share of a text's words and n-grams it does not see")
    linear_share: float = Field(
        0.5, gt=0, lt=1, description="weight of the linear classifier's scores in the mean with the recurrent one's"
    )
    linear_l2: float = Field(0.0, ge=0, description="L2 penalty of the weights of the ratios in it")
    ngram_min_count: int = Field(2, ge=1, description="rarer n-grams are not counted")
    ratios: bool = Field(False, description="log-count ratios of word and n-grams as inputs of the encoder too")

    pretraining_epochs: int = Field(
        0, ge=0, description="passes over the training texts as a language model before the first epoch; 0 is none"
    )
    pretraining_rows: int = Field(64, ge=1, le=4096, description="streams that the language model reads side by side")
    pretraining_steps: int = Field(
        100, ge=1, le=10_000, description="words through which its gradients go back; states go further"
    )
    pretraining_learning_rate: float = Field(2e-3, gt=0, description="its peak learning rate; falls as schedule says")
    sampled_words: int = Field(
        1000, ge=1, description="words in a sample of its softmax, on average; the whole vocabulary if it has fewer"
    )

    @model_validator(mode="after")
    def _characters_have_no_ngrams(self) -> Self:
        if self.level == "characters" and (self.regions or self.linear):
            raise ValueError("level=characters reads no words, so it has no n-grams: it needs regions=[] and linear=[]")
        return self

    @model_validator(mode="after")
    def _pretraining_is_possible(self) -> Self:
        given = f"pretraining_epochs={self.pretraining_epochs}"
        if self.pretraining_epochs == 0:
            return self
        if self.regions or self.ratios:
            raise ValueError(f"{given} needs regions=[] and ratios=false: n-grams would show the word to be predicted")
        if self.encoder == "echo_state":
            raise ValueError(f"{given} needs another encoder than echo_state, whose weights are never trained")
        if self.bidirectional and self.num_layers > 1 and self.encoder != "gated_feedback":
            raise ValueError(
                f"{given} needs num_layers=1 or bidirectional=false, got num_layers={self.num_layers}: "
                "an upper layer of both directions has seen the word to be predicted"
            )
        return self

    @property
    def split(self) -> Literal["punctuation", "characters"]:
        """Where texts are split; see `WordReader`."""
        return "characters" if self.level == "characters" else "punctuation"

    @property
    def orders(self) -> list[int]:
        """The orders of the n-grams that are counted."""
        return sorted({*self.regions, *self.linear})
