"""No row of the documents is missing, and each stands with the figures it was published with."""

from collections import Counter

import pytest

from lm_utils.experiments.documents import pairings, rows


def test_document_000_has_all_its_rows_with_figures():
    found = Counter(row.section for row in rows(table="loss"))
    assert found == {"3-1": 5, "3-2": 8, "3-3": 6, "3-4": 6, "3-5": 4}
    silent = [row.id for row in rows(table="loss") if row.test is None]
    assert silent == ["000-3-1-bce"] and "device-side assert" in rows()[3].published_error


def test_document_001_has_all_its_rows_and_no_figures():
    found = Counter(row.section for row in rows(table="activation"))
    assert found == {"3-1": 6, "3-2": 3, "3-3": 3, "3-4": 3, "3-5": 3}  # 3-1: normalised and raw
    assert all(row.test is None for row in rows(table="activation"))


def test_every_row_marked_as_recommended():
    assert sum(row.fits for row in rows(table="loss")) == 3 + 4
    assert sum(row.fits for row in rows(table="activation")) == 2 * 2 + 4


def test_softmax_before_cross_entropy_and_its_twin_are_told_apart():
    twice = next(row for row in rows() if row.id == "000-3-4-ce-softmax")
    twin = next(row for row in rows() if row.id == "twin-multiclass-ce")
    assert (twice.pairing.activation, twin.pairing.activation) == ("softmax", "none")
    assert twice.id in twin.corrects and "twice" in twice.label


def test_ids_are_unique_and_corrections_point_somewhere():
    names = [row.id for row in rows()]
    assert len(set(names)) == len(names)
    assert all(target in names for row in rows() for target in row.corrects)


@pytest.mark.parametrize("row_id,valid,test", [
    ("000-3-1-rmse", 0.0667, 0.0520), ("000-3-2-rmse-none", 0.9813, 0.9832), ("000-3-4-bce-sigmoid", 0.1103, 0.1010),
    ("000-3-5-ce-softmax", 0.7657, 0.7695), ("000-3-3-mse-softmax", 0.9693, 0.9764),
])  # fmt: skip
def test_published_figures(row_id, valid, test):
    row = next(row for row in rows() if row.id == row_id)
    assert (row.valid, row.test) == (valid, test)


def test_remedies_extras_and_shared_pairings():
    assert {row.pairing.hidden for row in rows(table="remedy")} == {"sigmoid", "relu"}
    assert any(row.pairing.prior_bias for row in rows(table="remedy"))
    assert {row.pairing.loss for row in rows(table="extra")} == {"huber", "hinge"}
    assert len(pairings()) == len(set(pairings())) < len(rows())
