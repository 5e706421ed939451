"""No row of the documents is missing, and each stands with the figures it was published with."""

from collections import Counter

import pytest

from lm_utils.runs.rows import pairings, rows


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


PUBLISHED = {  # every figure of document 000's tables, read from the document: valid, test
    "000-3-1-mse": (0.0735, 0.0574), "000-3-1-mae": (0.0799, 0.0547), "000-3-1-rmse": (0.0667, 0.0520),
    "000-3-1-bce-logits": (15.8230, 15.6859),
    "000-3-2-bce-sigmoid": (0.9630, 0.9676), "000-3-2-mse-none": (0.9743, 0.9779),
    "000-3-2-mse-sigmoid": (0.9657, 0.9713), "000-3-2-mae-none": (0.9703, 0.9788),
    "000-3-2-mae-sigmoid": (0.9620, 0.9654), "000-3-2-rmse-none": (0.9813, 0.9832),
    "000-3-2-rmse-sigmoid": (0.9643, 0.9724), "000-3-2-ce-softmax": (0.4987, 0.4931),
    "000-3-3-ce-softmax": (0.9657, 0.9701), "000-3-3-bce-softmax": (0.9597, 0.9668),
    "000-3-3-bce-sigmoid": (0.9650, 0.9700), "000-3-3-bce-logits-softmax": (0.9690, 0.9712),
    "000-3-3-mse-softmax": (0.9693, 0.9764), "000-3-3-mse-sigmoid": (0.9637, 0.9697),
    "000-3-4-ce-softmax": (0.9707, 0.9740), "000-3-4-bce-softmax": (0.9713, 0.9739),
    "000-3-4-bce-sigmoid": (0.1103, 0.1010), "000-3-4-bce-logits-softmax": (0.9733, 0.9753),
    "000-3-4-mse-softmax": (0.9713, 0.9743), "000-3-4-mse-sigmoid": (0.1053, 0.1135),
    "000-3-5-bce-sigmoid": (0.9821, 0.9853), "000-3-5-mse-softmax": (0.7643, 0.7674),
    "000-3-5-mse-sigmoid": (0.9831, 0.9849), "000-3-5-ce-softmax": (0.7657, 0.7695),
}  # fmt: skip


def test_every_published_figure_is_pinned():
    assert {row.id for row in rows() if row.test is not None} == set(PUBLISHED)
    assert len(PUBLISHED) == len(rows(table="loss")) - 1  # nn.BCELoss on regression published an error


@pytest.mark.parametrize("row_id", PUBLISHED)
def test_published_figures(row_id):
    row = next(row for row in rows() if row.id == row_id)
    assert (row.valid, row.test) == PUBLISHED[row_id]


def test_remedies_extras_and_shared_pairings():
    assert {row.pairing.hidden for row in rows(table="remedy")} == {"sigmoid", "relu"}
    assert any(row.pairing.prior_bias for row in rows(table="remedy"))
    assert {row.pairing.loss for row in rows(table="extra")} == {"huber", "hinge"}
    assert len(pairings()) == len(set(pairings())) < len(rows())
