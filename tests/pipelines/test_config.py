"""Settings: who wins over whom, what is refused and how, and whether the files that we ship are in order."""

from pathlib import Path
from typing import Literal, get_args

import pydantic
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import seqloom.pipelines
from seqloom.pipelines.commands import command_line_settings
from seqloom.pipelines.config import (
    CONTINUABLE,
    EncoderConfig,
    differences,
    load_config,
    parse_setting,
    read_yaml,
    to_yaml,
    validate,
)
from seqloom.pipelines.errors import UserError
from seqloom.pipelines.registry import TASKS, find_task
from seqloom.pipelines.study import load_study_config

FOLDER = Path(seqloom.pipelines.__file__).parent
ENTRY = find_task("slot_filling")
Config = ENTRY.config_module().Config
CONFIG_FILES = sorted(FOLDER.glob("*/configs/*.yaml"))


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def load(files=(), **values):
    return load_config(ENTRY, Config, files, values)


def test_the_command_line_wins_over_files_over_the_data_set_over_defaults(tmp_path):
    of_dataset = read_yaml(FOLDER / "slot_filling" / "configs" / "atis.yaml")
    assert of_dataset["epochs"] != Config(epochs=7).epochs != Config().epochs
    first = written(tmp_path, "first.yaml", "dataset: atis\nepochs: 7\nunits: 9\nlearning_rate: 0.5")
    second = written(tmp_path, "second.yaml", "units: 11\nlearning_rate: 0.25")
    config = load([first, second], learning_rate=0.125)
    assert (config.learning_rate, config.units, config.epochs) == (0.125, 11, 7)
    others = [key for key in of_dataset if key not in ("epochs", "units", "learning_rate")]
    assert any(getattr(Config(), key) != of_dataset[key] for key in others)
    assert {key: getattr(config, key) for key in others} == {key: of_dataset[key] for key in others}
    assert config.seed == Config().seed
    assert load([second, first]).units == 9


def test_the_data_set_of_a_file_or_the_command_line_brings_its_defaults(tmp_path):
    of_dataset = read_yaml(FOLDER / "slot_filling" / "configs" / "atis.yaml")
    assert to_yaml(load(dataset="atis")) != to_yaml(Config(dataset="atis"))
    assert load(dataset="atis") == Config(**of_dataset)
    assert load([written(tmp_path, "a.yaml", "dataset: atis")], dataset="sample") == load(dataset="sample")
    assert load(dataset="tiny") == Config(dataset="tiny"), "tiny.yaml is no data set"


def test_an_unknown_key_names_the_nearest_and_where_it_stands(tmp_path):
    with pytest.raises(UserError, match=r"^there is no setting 'unit', did you mean 'units'\?$"):
        load(unit=3)
    path = written(tmp_path, "my.yaml", "batchsize: 3")
    with pytest.raises(UserError, match=rf"^{path}: there is no setting 'batchsize', did you mean 'batch_size'\?$"):
        load([path])
    with pytest.raises(UserError, match=r"^there is no setting 'xyzzy'$"):
        load(xyzzy=3)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("epochs", 0, "epochs must be greater than or equal to 1, got 0"),
        ("dropout", 1.0, "dropout must be less than 1, got 1.0"),
        ("learning_rate", "fast", "learning_rate must be a valid number, unable to parse string as a number, got 'fast'"),  # noqa: E501
        ("learning_rate", float("nan"), "learning_rate must be a finite number, got nan"),
        ("optimizer", "sgd", "optimizer must be 'adam', 'adamw', 'rmsprop', 'adagrad' or 'nesterov', got 'sgd'"),
        ("units", 2.5, "units must be a valid integer, got a number with a fractional part, got 2.5"),
        ("encoder", "jordan", "encoder=jordan feeds each tag back before the next one is scored; it needs head=softmax"),  # noqa: E501
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_one_sentence(key, value, sentence):
    with pytest.raises(UserError) as raised:
        load(**{key: value})
    assert str(raised.value) == sentence


def test_several_bad_values_are_named_together():
    with pytest.raises(UserError, match=r"^seed must be .*, got -2; epochs must be .*, got -1$"):
        load(epochs=-1, seed=-2)


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "0.001", ".001", "1.0e-3"])
def test_every_way_to_write_a_number(text, tmp_path):
    assert load(**dict([parse_setting(f"learning_rate={text}")])).learning_rate == 1e-3
    assert load([written(tmp_path, "a.yaml", f"learning_rate: {text}")]).learning_rate == 1e-3
    assert load(learning_rate=text).learning_rate == 1e-3


@pytest.mark.parametrize("name", ["2020", "1e5", "3.5"])
def test_a_folder_may_be_named_like_a_number(name):
    assert load(**dict([parse_setting(f"dataset={name}")])).dataset == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("units=64", ("units", 64)),
        ("batch-size=8", ("batch_size", 8)),
        (" limit = null", ("limit", None)),
        ("bidirectional=false", ("bidirectional", False)),
        ("embeddings=a=b.txt", ("embeddings", "a=b.txt")),
        ("clipping=none", ("clipping", "none")),
        ("encoder=lstm", ("encoder", "lstm")),
        ("dataset=2020", ("dataset", 2020)),
    ],
)
def test_a_setting_on_the_command_line(text, expected):
    assert parse_setting(text) == expected


@pytest.mark.parametrize("text", ["units", "=3", " =3", "", "units=[1, 2", "units={"])
def test_what_is_no_setting_is_refused(text):
    with pytest.raises(UserError, match=r"KEY=VALUE|cannot be read"):
        parse_setting(text)


@pytest.mark.parametrize(
    ("flags", "assignments"),
    [({"epochs": 3}, ["epochs=3"]), ({}, ["units=3", "units=4"]), ({"batch_size": 3}, ["batch-size=3"])],
)
def test_giving_a_setting_twice_is_an_error_that_names_it(flags, assignments):
    key = assignments[0].partition("=")[0].replace("-", "_")
    with pytest.raises(UserError, match=key):
        command_line_settings(flags, assignments)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"epochs: [", "cannot be read: while parsing"),
        (b"- epochs", "must hold lines of `key: value`, got list"),
        (b"", "must hold lines of `key: value`, got NoneType"),
        (b"epochs: \xff", "cannot be read: 'utf-8' codec"),
    ],
)
def test_a_config_file_that_cannot_be_used_is_named_in_one_line(content, reason, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        load([path])
    assert str(path) in str(raised.value)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_config_file_is_named(tmp_path):
    with pytest.raises(UserError, match=rf"^there is no config file {tmp_path / 'none.yaml'}$"):
        load([tmp_path / "none.yaml"])


def test_a_folder_in_the_place_of_a_config_file_is_an_error_not_a_crash(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        load([tmp_path])


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt"])
def test_more_epochs_go_on_where_the_learning_rate_does_not_depend_on_their_number(schedule):
    before = Config(epochs=3, schedule=schedule)
    assert differences(before, before.model_copy(update={"epochs": 5, "patience": 1, "strategy": "mirrored"})) == []
    assert differences(before, before.model_copy(update={"epochs": 2})) == ["epochs was 3, now 2"]


@pytest.mark.parametrize("schedule", ["cosine", "linear", "exponential"])
def test_more_epochs_are_other_settings_where_the_schedule_ends_with_them(schedule):
    before = Config(epochs=3, schedule=schedule)
    assert differences(before, before.model_copy(update={"epochs": 5})) == ["epochs was 3, now 5"]
    assert differences(before, before) == []


@pytest.mark.parametrize("key", sorted(set(Config.model_fields) - CONTINUABLE))
def test_every_other_setting_is_a_difference_that_is_named(key):
    before = Config()
    old = getattr(before, key)
    field = Config.model_fields[key].annotation
    if getattr(field, "__origin__", None) is Literal:
        new = next(choice for choice in field.__args__ if choice != old)
    elif isinstance(old, bool):
        new = not old
    else:
        new = f"other {old}" if field in (str, str | None) else 3
    found = differences(before, before.model_copy(update={key: new}))
    assert found == [f"{key} was {old!r}, now {new!r}"]


@settings(max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "dataset": st.text(min_size=1).filter(lambda text: "\x00" not in text),
            "limit": st.none() | st.integers(1),
            "learning_rate": st.floats(0, exclude_min=True, allow_infinity=False),
            "clipping": st.sampled_from(["none", "value"]),
            "bidirectional": st.booleans(),
        },
    )
)
def test_the_effective_config_is_written_and_read_back(values):
    config = Config(**values)
    assert validate(Config, yaml.safe_load(to_yaml(config))) == config


@pytest.mark.parametrize("entry", TASKS.values(), ids=lambda entry: entry.name)
def test_every_setting_of_every_task_is_described_and_the_defaults_are_valid(entry):
    config_class = entry.config_module().Config
    assert [name for name, field in config_class.model_fields.items() if not field.description] == []
    assert config_class.model_config["frozen"]
    assert config_class.model_config["extra"] == "forbid"
    assert validate(config_class, config_class().model_dump()) == config_class()


@pytest.mark.parametrize("path", CONFIG_FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_every_line_of_our_config_files_is_commented_and_valid(path):
    entry = find_task(path.parent.parent.name)
    config_class = entry.config_module().Config
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    assert lines[0].startswith("# ")
    for line in lines[1:]:
        key, _, comment = line.partition("#")
        assert key.strip(), line
        assert comment.strip(), line
    values = read_yaml(path)
    assert len(values) == len(lines) - 1, "a key stands twice"
    config = load_study_config(entry, [path]) if entry.study else load_config(entry, config_class, [path])
    assert {key: getattr(config, key) for key in values} == values


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_tiny_config_and_settings_only_for_data_sets_it_knows(name):
    stems = {path.stem for path in CONFIG_FILES if path.parent.parent.name == name}
    assert "tiny" in stems
    known = {"full"} if TASKS[name].study else set(TASKS[name].datasets)
    variants = {stem for stem in stems for data_set in known if stem.startswith(f"{data_set}_")}  # sst_binary of sst
    assert stems - {"tiny"} <= known | variants


def test_encoders_are_those_of_the_layers():
    from seqloom.layers.encoder import CONNECTIONS, RECURRENT_LAYERS

    assert get_args(EncoderConfig.model_fields["encoder"].annotation) == tuple(RECURRENT_LAYERS)
    assert get_args(EncoderConfig.model_fields["connections"].annotation) == CONNECTIONS
    with pytest.raises(pydantic.ValidationError, match="needs connections=none"):
        EncoderConfig(encoder="gated_feedback", connections="dense")
