"""First values from elsewhere: word vectors from files, weights from other runs."""

import numpy as np
import pytest
from tagging import CORPUS, make_config, make_tagger

from seqloom.datasets.tagged_sentence import TaggedSentence
from seqloom.pipelines.errors import UserError
from seqloom.pipelines.initialisation import copy_from_run, load_base, word_vectors
from seqloom.pipelines.registry import find_task
from seqloom.pipelines.run import Run
from seqloom.pipelines.run_directory import RunDirectory, write_text
from seqloom.pipelines.slot_filling.task import SlotFilling
from seqloom.pipelines.vocabulary import SPECIAL, Vocabulary

WORDS = Vocabulary([*SPECIAL, "to", "zürich", ". . .", "at me@x.org", "7"])


@pytest.fixture
def file(tmp_path):
    def write(*lines, encoding="utf-8"):
        path = tmp_path / "vectors.txt"
        path.write_bytes("".join(lines).encode(encoding))
        return path

    return write


def read(path, dimension=2):
    matrix = np.full((len(WORDS), dimension), 9.0, np.float32)
    return word_vectors(path, WORDS, matrix), matrix


GLOVE = ["to 1 2\n", "unheard 3 4\n", "zürich -5e-1 6.25\n"]


@pytest.mark.parametrize("header", [[], ["3 2\n"]], ids=["glove", "word2vec"])
@pytest.mark.parametrize("ending", ["\n", " \n", "\r\n"], ids=["lf", "trailing space", "crlf"])
def test_vectors_of_known_words_are_read_and_all_other_rows_stay(file, header, ending):
    found, matrix = read(file(*(line.replace("\n", ending) for line in [*header, *GLOVE])))
    assert found == 2
    expected = np.full((len(WORDS), 2), 9.0)
    expected[WORDS.id("to")], expected[WORDS.id("zürich")] = [1, 2], [-0.5, 6.25]
    np.testing.assert_array_equal(matrix, expected)


def test_words_with_spaces_as_some_of_glove_have(file):
    found, matrix = read(file(". . . 1 2\n", "at me@x.org 3 4\n", "\u2028 5 6\n", "to 7 8"))
    assert found == 3
    assert matrix[WORDS.id(". . .")].tolist() == [1, 2]
    assert matrix[WORDS.id("at me@x.org")].tolist() == [3, 4]
    assert matrix[WORDS.id("to")].tolist() == [7, 8]


def test_a_word_that_is_a_number_is_no_header(file):
    assert read(file("7 1\n", "to 3\n"), dimension=1)[0] == 1, (
        "in one dimension a first line of two numbers is a header"
    )
    assert read(file("7 1 2\n"))[1][WORDS.id("7")].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("to 1\n", r"expected 2 numbers \(embedding_dim\), got 1"),
        ("to 1 2 3\n", r"expected 2 numbers \(embedding_dim\), got 3"),
        ("unheard 1 2 3\n", r"expected 2 numbers \(embedding_dim\), got 3"),
        ("to\n", r"expected 2 numbers \(embedding_dim\), got 0"),
        ("\n", r"expected 2 numbers \(embedding_dim\), got 0"),
        ("to 1 two\n", r"the vector of 'to' has a part that is no number"),
        ("to 1 nan\n", r"the vector of 'to' has a part that is not finite"),
        ("to 1 1e99\n", r"the vector of 'to' has a part that is not finite"),
    ],
)
def test_a_malformed_line_is_named(file, line, reason):
    path = file("3 2\n", "zürich 1 2\n", line, "to 3 4\n")
    with pytest.raises(UserError, match=rf"^{path}, line 3: {reason}$"):
        read(path)


def test_a_file_of_another_dimension_is_refused_at_its_first_vector(file):
    with pytest.raises(UserError, match=r"line 1: expected 3 numbers \(embedding_dim\), got 2"):
        read(file(*GLOVE), dimension=3)


def test_bytes_that_are_no_text_are_named_with_their_line(file):
    with pytest.raises(UserError, match=r"vectors\.txt, line 3: the word vectors must be UTF-8 text"):
        read(file(*GLOVE, encoding="latin-1"))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=rf"^there is no file of word vectors {tmp_path / 'none'}$"):
        read(tmp_path / "none")
    with pytest.raises(UserError, match=r"cannot be read: Is a directory"):
        read(tmp_path)


def test_every_network_of_the_model_gets_the_vectors(file):
    path = file("boston 1 2 3 4 5 6\n", "unheard 1 2 3 4 5 6\n")
    sentence = TaggedSentence(("to", "Boston"), ("O", "B-city"), None)
    tagger = make_tagger([sentence], members=2, embeddings=str(path))
    before = tagger.model.members[0].embedding.embeddings.numpy()
    assert tagger.pipeline.initialise(tagger.model, tagger.preprocessor) == {"words with a pretrained vector": 1}
    for member in tagger.model.members:
        matrix = member.embedding.embeddings.numpy()
        assert matrix[tagger.preprocessor.words.id("boston")].tolist() == [1, 2, 3, 4, 5, 6]
    assert np.sum(np.any(tagger.model.members[0].embedding.embeddings.numpy() != before, axis=1)) == 1


# Another run: its folder as training leaves it, with random weights instead of trained ones.


def write_run(path, **settings):
    tagger = make_tagger(CORPUS.train[:20], **settings)
    run = Run(find_task("slot_filling"), tagger.pipeline.config, RunDirectory(path))
    run.write_config()
    run.directory.preprocessor.mkdir()
    tagger.preprocessor.save(run.directory.preprocessor)
    run.directory.checkpoints.mkdir()
    tagger.model.save(run.directory.best)
    return tagger


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    path = tmp_path_factory.mktemp("base")
    return path, write_run(path)


NEW = TaggedSentence(("Xylophone", "quuxville", "please"), ("B-instrument", "B-toloc.city_name", "O"), "play_music")


def test_weights_are_copied_and_the_vocabularies_extended(base):
    path, source = base
    run = load_base(str(path), find_task("slot_filling"))
    pipeline = SlotFilling(make_config(init_from=str(path)))
    preprocessor = pipeline.fit_preprocessor([*CORPUS.train[:5], NEW], run.preprocessor)
    for name in ("words", "characters", "tags", "intents"):
        old, new = getattr(source.preprocessor, name).entries, getattr(preprocessor, name).entries
        assert new[: len(old)] == old, f"the ids of {name} stay"
    assert {"xylophone", "quuxville"} <= set(preprocessor.words.entries)
    assert "B-instrument" in preprocessor.tags
    assert "play_music" in preprocessor.intents
    model = pipeline.build_model(preprocessor)
    random = [weight.numpy() for weight in model.weights]
    said = copy_from_run(run, pipeline, model)
    extended = 0
    for weight, old, start in zip(model.weights, source.model.weights, random, strict=True):
        assert weight.path.partition("/")[2] == old.path.partition("/")[2]
        block = tuple(slice(size) for size in old.shape)
        np.testing.assert_array_equal(weight.numpy()[block], old.numpy(), err_msg=weight.path)
        outside = np.ones(weight.shape, bool)
        outside[block] = False
        np.testing.assert_array_equal(weight.numpy()[outside], start[outside], err_msg=weight.path)
        extended += tuple(weight.shape) != tuple(old.shape)
    assert extended > 3
    assert said == {f"weights copied from {path}": len(model.weights), "of these extended": extended}


def test_the_same_data_gives_the_same_model(base):
    path, source = base
    run = load_base(str(path), find_task("slot_filling"))
    pipeline = SlotFilling(make_config())
    preprocessor = pipeline.fit_preprocessor(CORPUS.train[:20], run.preprocessor)
    model = pipeline.build_model(preprocessor)
    assert copy_from_run(run, pipeline, model)["of these extended"] == 0
    for weight, old in zip(model.weights, source.model.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old.numpy())


def test_weights_without_a_place_stay_at_their_random_start_and_are_named(base, caplog):
    path, _ = base
    pipeline = SlotFilling(make_config(encoder="gru", character_dim=2))
    run = load_base(str(path), find_task("slot_filling"))
    model = pipeline.build_model(pipeline.fit_preprocessor(CORPUS.train[:20], run.preprocessor))
    before = {weight.path: weight.numpy() for weight in model.weights}
    with caplog.at_level("INFO"):
        copy_from_run(run, pipeline, model)
    assert "member_0/character_encoder" in caplog.text
    for weight in model.weights:
        stayed = np.array_equal(weight.numpy(), before[weight.path])
        assert stayed == (weight.path.partition("/")[2] in caplog.text) or not before[weight.path].any(), weight.path


def test_a_weight_of_another_size_is_not_mixed_into_a_larger_one(base, caplog):
    path, _ = base
    run = load_base(str(path), find_task("slot_filling"))
    pipeline = SlotFilling(make_config(units=run.config.units + 4))
    model = pipeline.build_model(pipeline.fit_preprocessor(CORPUS.train[:20], run.preprocessor))
    before = {weight.path: weight.numpy() for weight in model.weights}
    with caplog.at_level("INFO"):
        copy_from_run(run, pipeline, model)
    grown = [weight for weight in model.weights if "/forward_0/" in weight.path]
    assert grown
    for weight in grown:
        np.testing.assert_array_equal(weight.numpy(), before[weight.path])
        assert weight.path.partition("/")[2] in caplog.text


def test_without_init_from_there_is_no_base():
    assert load_base(None, find_task("slot_filling")) is None


def test_a_base_must_be_a_trained_run_of_the_same_task(tmp_path):
    entry = find_task("slot_filling")
    with pytest.raises(UserError, match=r"is not a run directory: it has no config\.yaml"):
        load_base(str(tmp_path), entry)
    write_text(tmp_path / "config.yaml", "task: slot_filling\n")
    with pytest.raises(UserError, match=rf"must name a trained run, {tmp_path} has no checkpoints/best\.keras$"):
        load_base(str(tmp_path), entry)
    other = type(entry)(name="sentiment", summary="", pipeline="")
    with pytest.raises(UserError, match=r"init_from must name a run of sentiment, .* holds one of slot_filling"):
        load_base(str(tmp_path), other)
