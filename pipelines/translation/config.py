"""The settings of translation."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from ..config import EncoderConfig, TaskConfig

# From the simplest one on, and what a report calls them.
SEARCHES = {"greedy": "greedy", "beam": "beam search"}


class Config(TaskConfig, EncoderConfig):
    """What can be set for translation."""

    source_level: Literal["word", "subword"] = Field("word", description="what one step of the encoder reads")
    source_pieces: int = Field(4000, ge=1, description="subwords that are learnt from train (source_level=subword)")
    lowercase: bool = Field(True, description="read upper case in the source as lower case")
    min_count: int = Field(2, ge=1, description="source words rarer than this in train are read as unknown")
    max_tokens: int = Field(100, ge=1, description="longest source; longer ones are answered with an error")
    target_level: Literal["character", "word"] = Field("character", description="what one step of the decoder writes")
    target_min_count: int = Field(1, ge=1, description="target symbols rarer than this in train are never written")
    max_symbols: int = Field(200, ge=1, description="longest target in training, and the most that is ever written")
    length_ratio: float = Field(
        4.0, gt=0, description="a translation is cut off at length_ratio symbols for each source token, and ten more"
    )

    embedding_dim: int = Field(256, ge=1, description="size of the vector of a source token or a target symbol")
    embeddings: str | None = Field(None, description="vectors of source words to start from, GloVe or word2vec text")
    target_embeddings: str | None = Field(None, description="vectors of target symbols to start from, the same format")
    tied_embeddings: bool = Field(True, description="score target symbols by the vectors with which they are read")
    units: int = Field(256, ge=1, le=8192, description="units of each layer and direction of the encoder")
    encoder: Literal["simple", "lstm", "gru"] = Field(
        "gru", description="kind of recurrent layer, of encoder and decoder"
    )
    num_layers: int = Field(1, ge=1, le=64, description="recurrent layers of the encoder")
    decoder_layers: int = Field(1, ge=1, le=64, description="recurrent layers of the decoder, of as many units")
    connections: Literal["none", "residual"] = Field(
        "none", description="shortcuts between layers, of encoder and decoder"
    )
    access: Literal["attention", "initial_state", "input", "both"] = Field(
        "attention",
        description="how the decoder sees the source: by attention, or one vector as initial state, as input, as both",
    )
    attention: Literal["additive", "multiplicative"] = Field("additive", description="how a step finds what to look at")
    input_feeding: bool = Field(True, description="each step also reads what the step before it made of the source")
    ending: Literal["end_symbol", "bernoulli", "predicted_length"] = Field(
        "end_symbol",
        description="how a translation ends: by a symbol, by a decision after each symbol, by a length chosen before",
    )

    word_dropout: float = Field(0.0, ge=0, lt=1, description="share of the source tokens read as unknown in training")
    output_dropout: float = Field(0.3, ge=0, lt=1, description="share of the decoder's outputs set to 0")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="of the target symbols")
    scheduled_sampling: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of its own symbols in place of those of train that the decoder reads in the last epoch; it "
        "rises from 0",
    )
    adversarial: float = Field(
        0.0, ge=0, lt=1, description="learn also from vectors changed for the worst by this share of their length"
    )

    search: Literal["greedy", "beam"] = Field("beam", description="how the served model looks for a translation")
    beam_width: int | None = Field(None, ge=1, le=64, description="hypotheses kept; chosen on valid if not given")
    length_penalty: float | None = Field(
        None, ge=0, le=5, description="power of the length that scores are divided by; chosen on valid if not given"
    )
    coverage_penalty: float = Field(0.0, ge=0, le=5, description="weight of what was left of the source unseen")
    n_best: int = Field(5, ge=1, le=64, description="translations that are answered, best first, if there are so many")
    select_by: Literal["bleu", "chrf"] = Field(
        "bleu", description="what decides on valid which epoch is kept; chrf where targets have fewer than four tokens"
    )
    bleu_tokenize: Literal["zh", "13a", "intl", "char", "none"] = Field(
        "zh", description="sacreBLEU's tokenizer: zh for Chinese, 13a for most other languages"
    )

    @model_validator(mode="after")
    def _looking_needs_attention(self) -> Self:
        if self.access != "attention" and self.coverage_penalty:
            raise ValueError(f"coverage_penalty needs access=attention, got access={self.access}")
        return self

    @model_validator(mode="after")
    def _the_beam_holds_the_best(self) -> Self:
        if self.beam_width is not None and self.search == "beam" and self.n_best > self.beam_width:
            raise ValueError(f"n_best must be at most beam_width={self.beam_width}, got {self.n_best}")
        return self

    @model_validator(mode="after")
    def _vectors_are_of_words(self) -> Self:
        if self.embeddings and self.source_level != "word":
            raise ValueError(f"embeddings are of words; they need source_level=word, got {self.source_level}")
        return self
