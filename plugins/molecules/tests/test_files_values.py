"""What a file says of its molecules: numbers that are none, records of the same molecule, samples."""

import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub_molecules.domains.examples import example_molecules
from vaehub_molecules.files import Sample, read_molecules
from vaehub_molecules.files.merging import merge_duplicates
from vaehub_molecules.files.numbers import to_numbers


@pytest.fixture
def write(tmp_path):
    def written(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return written


@pytest.mark.parametrize(
    ("cells", "remedy"),
    [
        (["5,3", "7,75"], "the first is '5,3'; write decimals with a point"),
        (["high", "low", ""], "none of its 2 values is a number, the first is 'high'; give numbers"),
        (["2026-01-01"], "give numbers"),
    ],
)
def test_a_column_without_a_number_is_refused(write, cells, remedy):
    lines = [f'C{"C" * i}O,"{cell}"' for i, cell in enumerate(cells)]
    path = write("a.csv", "\n".join(["smiles,pIC50", *lines]))
    with pytest.raises(UsageError, match=f"a.csv: column 'pIC50': .*{remedy}"):
        read_molecules(path, numbers=["pIC50"])


def test_text_among_numbers_is_counted_and_unknown(write):
    path = write("a.csv", "smiles,ic50\nCO,20\nCCO,>10\nCCCO,\nCCCCO,NA\nCCCCCO,inf\nCCCCCCO,30\n")
    with pytest.warns(UserWarning, match=r"column 'ic50': 2 of 6 values \(33\.3%\) are no numbers .* the first is '>10'"):
        frame = read_molecules(path, numbers=["ic50"]).frame
    assert frame["ic50"].fillna(-1).tolist() == [20, -1, -1, -1, -1, 30]


def test_blank_cells_and_words_for_them_are_unknown_without_a_warning():
    cells = pd.Series([" 1.5 ", "", None, "NA", "nan", "1e3"], dtype=object)
    assert to_numbers(cells, "y").fillna(-1).tolist() == [1.5, -1, -1, -1, -1, 1000]
    assert to_numbers(pd.Series(["", None], dtype=object), "y").isna().all()


@pytest.mark.parametrize(
    ("cells", "value", "kept"),
    [(["1.0", "9.0", "2.5"], 2.5, "median"), (["1", "9", "2"], 1, "first")],
)
def test_records_that_contradict_each_other_are_counted(write, cells, value, kept):
    spelt = ["CCO", "OCC", "C(C)O"]
    path = write("a.csv", "smiles,y\nCC,4\n" + "".join(f"{s},{cell}\n" for s, cell in zip(spelt, cells, strict=True)))
    found = read_molecules(path)
    assert found.frame.to_dict("list") == {"smiles": ["CC", "CCO"], "y": [4, value]}
    values = " and ".join(f"{float(cell):g}" for cell in cells)
    assert found.lines()[-1] == f"  1 molecules with more than one y (such as CCO: {values}); the {kept} is kept"


def test_a_column_that_is_asked_for_is_a_measurement_though_its_numbers_are_whole(write):
    path = write("a.csv", "smiles,act\n" + "".join(f"{s},{value}\n" for value in (1, 9) for s in example_molecules()[:20]))
    found = read_molecules(path, numbers=["act"])
    assert found.frame["act"].tolist() == [5.0] * 20
    assert (found.conflicts[0].molecules, found.conflicts[0].values) == (20, (1.0, 9.0))


def test_a_known_value_is_not_lost_behind_an_unknown_one():
    frame = pd.DataFrame({"smiles": ["CCO", "CCO", "CC"], "y": [None, 3.5, 1.0], "n": pd.array([None, 7, 1], "Int64")})
    merged, conflicts = merge_duplicates(frame)
    assert merged.to_dict("list") == {"smiles": ["CCO", "CC"], "y": [3.5, 1.0], "n": [7, 1]}
    assert not conflicts


def test_a_sample_is_of_the_whole_file_in_any_order(write):
    molecules = sorted(example_molecules(), key=len)
    up = read_molecules(write("up.smi", "\n".join(molecules)), sample=Sample(60)).frame["smiles"]
    down = read_molecules(write("down.smi", "\n".join(molecules[::-1])), sample=Sample(60)).frame["smiles"]
    assert len(up) == 60
    assert up.tolist() == down.tolist()[::-1]
    every = pd.Series(molecules).str.len()
    assert abs(up.str.len().mean() - every.mean()) < 3 * every.std() / 60**0.5
    other = read_molecules(write("up.smi", "\n".join(molecules)), sample=Sample(60, seed=1)).frame["smiles"]
    assert set(other) != set(up)


def test_a_sample_makes_up_for_what_is_rejected_or_there_twice(write):
    molecules = example_molecules()[:40]
    lines = [line for s in molecules for line in (f"{s},1", f"{s},2", f"{s}C1CC,3", "CCO")]
    path = write("a.csv", "\n".join(["smiles,y", *lines]))
    found = read_molecules(path, sample=Sample(10))
    kept = found.frame.set_index("smiles")["y"]
    assert len(kept) == 10
    assert found.duplicates == 10  # records of one text come together
    assert 0 < len(found.rejected) < 80
    assert len(read_molecules(path, sample=Sample(1000)).frame) == 40
