"""The settings of slot filling."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from ..config import EncoderConfig, RecurrentLayer, TaskConfig, WordsConfig


class Config(TaskConfig, EncoderConfig, WordsConfig):
    """What can be set for slot filling."""

    encoder: Literal[RecurrentLayer, "jordan"] = Field(  # type: ignore[assignment]
        "lstm", description="kind of recurrent layer; jordan feeds the previous tag back and needs head=softmax"
    )
    head: Literal["crf", "softmax"] = Field("crf", description="tags chosen as a sequence, or each by itself")
    factored_tags: bool = Field(True, description="score a tag as the sum of its parts (B/I, fromloc, city_name, ...)")
    members: int = Field(1, ge=1, le=16, description="networks of the same shape whose scores are averaged")
    character_dim: int = Field(30, ge=0, description="size of a character's vector; 0 reads no characters")
    character_filters: int = Field(50, ge=1, description="filters of the convolution over the characters of a word")
    max_characters: int = Field(24, ge=1, description="characters of a word that are read")
    rare_word_dropout: float = Field(
        0.5, ge=0, description="a: a word that occurs n times in train is read as unknown with probability a / (a + n)"
    )
    substitution: float = Field(
        0.5, ge=0, le=1, description="share of the training sentences in which slot values are replaced by others"
    )
    substituted_spans: float = Field(0.7, ge=0, le=1, description="share of the values replaced in such a sentence")
    output_dropout: float = Field(0.3, ge=0, lt=1, description="share of the encoder's outputs set to 0")
    intent_weight: float = Field(1.0, ge=0, description="weight of the intent in the loss")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="of the intent")

    @model_validator(mode="after")
    def _jordan_has_no_crf(self) -> Self:
        if self.encoder == "jordan" and self.head == "crf":
            raise ValueError("encoder=jordan feeds each tag back before the next one is scored; it needs head=softmax")
        if self.encoder == "jordan" and self.bidirectional:
            raise ValueError("encoder=jordan reads in one direction; it needs bidirectional=false")
        if self.encoder == "jordan" and (self.factored_tags or self.members > 1):
            raise ValueError(
                "encoder=jordan has an output layer of its own; it needs factored_tags=false and members=1"
            )
        return self
