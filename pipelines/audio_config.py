"""The settings of tasks that hear."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator


class AudioConfig(BaseModel):
    """The settings of tasks that hear: what `seqloom.layers.AudioFeatures` and the layers after it are made from.

    A corpus that comes as features makes no use of any of them but `deltas` and `normalisation`.
    """

    sampling_rate: int = Field(16000, ge=1000, le=192_000, description="samples per second; audio is resampled to it")
    features: Literal["log_mel", "mfcc"] = Field("log_mel", description="log mel energies, or cepstra made of them")
    mel_bands: int = Field(40, ge=1, le=512, description="mel filters")
    coefficients: int = Field(13, ge=1, le=512, description="cepstral coefficients that are kept (mfcc)")
    deltas: bool = Field(False, description="add first and second derivatives of the features over time")
    normalisation: Literal["utterance", "global", "none"] = Field(
        "utterance", description="give features mean 0 and variance 1 in each utterance, or over all of train"
    )
    window_ms: float = Field(25.0, ge=5, le=1000, description="window of a frame in milliseconds")
    hop_ms: float = Field(10.0, ge=1, le=1000, description="from one frame to the next in milliseconds")
    lowest_frequency: float = Field(0.0, ge=0, description="where the first mel filter begins, in Hz")
    highest_frequency: float | None = Field(
        None, gt=0, description="where the last mel filter ends, in Hz; half the sampling rate if not given"
    )

    @property
    def hop_length(self) -> int:
        """Samples from one frame to the next."""
        return round(self.sampling_rate * self.hop_ms / 1000)

    @property
    def frame_seconds(self) -> float:
        """Seconds from one frame to the next, which at some rates is not quite `hop_ms`."""
        return self.hop_length / self.sampling_rate

    @property
    def features_of_a_frame(self) -> int:
        """How many there are, without derivatives."""
        return self.mel_bands if self.features == "log_mel" else self.coefficients

    @model_validator(mode="after")
    def _filters_lie_below_half_the_rate(self) -> Self:
        half = self.sampling_rate / 2
        highest = half if self.highest_frequency is None else self.highest_frequency
        if highest > half:
            raise ValueError(
                f"highest_frequency must be at most half of sampling_rate={self.sampling_rate} Hz, got {highest:g}"
            )
        if self.lowest_frequency >= highest:
            raise ValueError(
                f"lowest_frequency must be below the highest, {highest:g} Hz, got {self.lowest_frequency:g}"
            )
        return self

    @model_validator(mode="after")
    def _cepstra_fit_the_filters(self) -> Self:
        if self.features == "mfcc" and self.coefficients > self.mel_bands:
            raise ValueError(f"coefficients must be at most mel_bands={self.mel_bands}, got {self.coefficients}")
        return self

    @model_validator(mode="after")
    def _frames_leave_nothing_out(self) -> Self:
        if self.hop_ms > self.window_ms:
            raise ValueError(f"hop_ms must be at most window_ms={self.window_ms:g}, got {self.hop_ms:g}")
        return self


class AugmentedAudioConfig(AudioConfig):
    """The settings of tasks that train on changed sounds, by `audio_augmentation` and `seqloom.layers.SpecAugment`."""

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
