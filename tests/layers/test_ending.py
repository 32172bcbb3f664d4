"""The ways to end a sequence: likelihoods by enumeration, generations by loops over single rows."""

import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers import BernoulliHalt, EndSymbol, PredictedLength

RNG = np.random.default_rng(0)
TIME = 6


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def probabilities(ending, scores, lengths):
    """`p(length)` of one row for each of the lengths."""
    repeated = np.repeat(scores[None], len(lengths), axis=0)
    return np.exp(-ending.negative_log_likelihood(repeated, np.array(lengths)).numpy())


def generate(ending, outputs, limit):
    """The loop of a decoder; `outputs[step]` is what it hands to `ended`."""
    generated = ending.start(len(outputs[0]))
    for step in range(limit):
        generated = ending.advance(generated, ending.ended(outputs[step], step))
    return generated.finished.numpy().tolist(), generated.lengths.numpy().tolist()


def test_a_bernoulli_halt_is_a_distribution_over_lengths():
    scores = RNG.normal(size=TIME).astype("float32")
    found = probabilities(BernoulliHalt(), scores, range(1, TIME + 1))
    halts, runs_on = sigmoid(scores), 1.0
    for length, probability in enumerate(found, start=1):
        np.testing.assert_allclose(probability, runs_on * halts[length - 1], rtol=1e-5)
        runs_on *= 1 - halts[length - 1]
    np.testing.assert_allclose(sum(found) + runs_on, 1, rtol=1e-6)
    scores[-1] = 50  # a halt that is certain at the last step leaves nothing over
    np.testing.assert_allclose(sum(probabilities(BernoulliHalt(), scores, range(1, TIME + 1))), 1, rtol=1e-6)


def test_an_end_symbol_is_a_distribution_over_lengths_from_zero_on():
    ending = EndSymbol(end_id=1)
    logits = RNG.normal(size=(TIME, 4)).astype("float32")
    found = probabilities(ending, ending(logits[None])[0].numpy(), range(TIME))
    ends = np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1)
    expected = [ends[length] * np.prod(1 - ends[:length]) for length in range(TIME)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(found.sum() + np.prod(1 - ends), 1, rtol=1e-5)


def test_the_cost_of_the_end_symbol_is_a_part_of_the_cross_entropy():
    ending, lengths = EndSymbol(end_id=1), np.array([3, 0, 5])
    logits = RNG.normal(size=(3, TIME, 4)).astype("float32")
    content = RNG.choice([0, 2, 3], size=(3, TIME - 1))
    targets = ending.targets(content, lengths).numpy()
    cost = -tf.nn.log_softmax(logits).numpy()
    without_end = np.where(np.arange(4) == 1, -np.inf, logits)
    cost_of_content = -tf.nn.log_softmax(without_end).numpy()
    for row, length in enumerate(lengths):
        steps = np.arange(length)
        assert targets[row].tolist() == [*content[row, :length], 1, *[0] * (TIME - 1 - length)]
        whole = cost[row, np.arange(length + 1), targets[row, : length + 1]].sum()
        part = ending.negative_log_likelihood(ending(logits), lengths)[row]
        np.testing.assert_allclose(whole, part + cost_of_content[row, steps, content[row, :length]].sum(), rtol=1e-5)


def test_a_predicted_length_is_a_distribution_whose_last_class_is_open():
    ending, scores = PredictedLength(4), RNG.normal(size=4).astype("float32")
    np.testing.assert_allclose(
        probabilities(ending, scores, [1, 2, 3, 4]), np.exp(scores) / np.exp(scores).sum(), rtol=1e-5
    )
    assert probabilities(ending, scores, [4, 5, 100]).std() == 0


@pytest.mark.parametrize("ending", [EndSymbol(), BernoulliHalt()], ids=["end_symbol", "bernoulli_halt"])
@pytest.mark.parametrize("garbage", [1e4, np.inf, np.nan])
def test_nothing_after_the_end_costs_anything(ending, garbage):
    scores = RNG.normal(size=(3, TIME)).astype("float32")
    lengths = np.array([2, 1, 4])
    losses = ending.step_losses(scores, lengths).numpy()
    spoilt = np.where(np.arange(TIME) < lengths[:, None] + ending.extra_steps, scores, garbage)
    scores = tf.constant(spoilt, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        again = ending.step_losses(scores, lengths)
    np.testing.assert_array_equal(again, losses)
    np.testing.assert_array_equal(np.count_nonzero(losses, axis=1), lengths + ending.extra_steps)
    assert np.all(np.isfinite(tape.gradient(again, scores)))
    np.testing.assert_allclose(ending.negative_log_likelihood(scores, lengths), losses.sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("limit", [1, 3, TIME])
def test_lengths_of_generated_symbols(limit):
    ending, symbols = EndSymbol(end_id=3), RNG.integers(0, 5, size=(TIME, 40))
    finished, lengths = [], []
    for written in symbols[:limit].T.tolist():
        finished.append(3 in written)
        lengths.append(written.index(3) if 3 in written else limit)
    assert generate(ending, symbols, limit) == (finished, lengths)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_greedy_halts_end_at_the_first_step_above_the_threshold(threshold):
    ending, logits = BernoulliHalt(threshold), RNG.normal(size=(TIME, 40)).astype("float32")
    finished, lengths = [], []
    for halts in (sigmoid(logits) > threshold).T.tolist():
        finished.append(True in halts)
        lengths.append(halts.index(True) + 1 if True in halts else TIME)
    assert generate(ending, logits, TIME) == (finished, lengths)


def test_greedy_lengths_are_the_likeliest_when_the_scores_are_sure():
    """Every logit far from 0: what `ended` decides is what the loss prefers."""
    ending, stops = BernoulliHalt(), np.array([1, 4, 6])
    scores = np.where(np.arange(TIME) == stops[:, None] - 1, 9, -9).astype("float32")
    assert generate(ending, scores.T, TIME)[1] == stops.tolist()
    for row, stop in enumerate(stops):
        assert np.argmax(probabilities(ending, scores[row], range(1, TIME + 1))) + 1 == stop


def close(counts, expected):
    """Whether counts fit the probabilities, within five standard deviations each."""
    total, expected = counts.sum(), np.asarray(expected)
    return np.all(np.abs(counts - total * expected) < 5 * np.sqrt(total * expected * (1 - expected)) + 1)


def test_sampled_halts_follow_the_likelihood():
    ending, rows = BernoulliHalt(), 20_000
    scores = RNG.normal(size=TIME).astype("float32")
    scores[-1] = 50
    generated = ending.start(rows)
    for step in range(TIME):
        generated = ending.advance(generated, ending.ended(np.repeat(scores[step], rows), step, seed=7))
    assert np.all(generated.finished)
    counts = np.bincount(generated.lengths.numpy(), minlength=TIME + 1)[1:]
    assert close(counts, probabilities(ending, scores, range(1, TIME + 1)))


def test_sampled_lengths_follow_the_likelihood_and_greedy_ones_are_the_likeliest():
    ending, rows, scores = PredictedLength(TIME), 20_000, RNG.normal(size=TIME).astype("float32")
    expected = probabilities(ending, scores, range(1, TIME + 1))
    lengths = ending.choose(np.repeat(scores[None], rows, axis=0), seed=7).numpy()
    assert close(np.bincount(lengths, minlength=TIME + 1)[1:], expected)
    assert ending.choose(scores[None]).numpy().tolist() == [np.argmax(expected) + 1]


def test_a_generation_takes_the_predicted_number_of_steps():
    ending, lengths = PredictedLength(TIME), tf.constant([1, 3, 6])
    assert generate(ending, [lengths] * TIME, TIME) == ([True] * 3, [1, 3, 6])
    assert generate(ending, [lengths] * TIME, 4) == ([True, True, False], [1, 3, 4])


def test_the_recurrence_hears_how_many_steps_remain():
    ending, lengths = PredictedLength(TIME), np.array([1, 3])
    whole = ending.remaining(lengths, np.arange(4)).numpy()
    np.testing.assert_allclose(np.expm1(whole[:, :, 0]), [[1, 0, 0, 0], [3, 2, 1, 0]], atol=1e-6)
    for step in range(4):
        np.testing.assert_array_equal(ending.remaining(lengths, step), whole[:, step])


def test_generation_runs_inside_a_graph():
    ending, stops = BernoulliHalt(), [2, 5, 9]
    scores = tf.constant(np.where(np.arange(TIME) == np.array(stops)[:, None] - 1, 3, -3), tf.float32)

    @tf.function
    def lengths():
        def step(at, generated):
            return at + 1, ending.advance(generated, ending.ended(scores[:, at], at))

        def goes_on(at, generated):
            return (at < TIME) & ~tf.reduce_all(generated.finished)

        return tf.while_loop(goes_on, step, (tf.constant(0), ending.start(3)))[1].lengths

    assert lengths().numpy().tolist() == [2, 5, TIME]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EndSymbol(-1), "end_id must be an integer of at least 0, got end_id=-1"),
        (lambda: EndSymbol(4)(np.zeros((1, 2, 4))), "end_id must be one of the 4 classes, got end_id=4"),
        (lambda: BernoulliHalt(1.0), r"threshold must lie in \(0, 1\), got threshold=1.0"),
        (lambda: PredictedLength(0), "max_length must be a positive integer, got max_length=0"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
