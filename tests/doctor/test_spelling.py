"""However a formula is spelt, the doctor says the same: every spelling on a few set-ups that it is used in."""

import pytest
from doctor_exam.spelling import BUILDS, counted, judged_rightly
from doctor_exam.spelling_parts import SPELLINGS

SAMPLE = list(judged_rightly())[::67]
STILL_TOLD_APART = {
    "softmax: exponentials", "log_softmax: logsumexp", "sigmoid: exponential", "sigmoid: tanh", "1 - p: -p + 1",
    "linear: matmul", "linear: einsum", "a penalty on the weights", "a term of its own", "loss inside the model",
    "sample by sample",
}  # fmt: skip
"""What the model itself computes is read from torch's graph, and some of these the doctor does not know yet."""

OF_THE_CALL = ("divergence: logarithms", "batchmean")  # an option of torch's own loss, which a formula by hand has not


@pytest.mark.parametrize("name", [*SPELLINGS, *BUILDS])
def test_a_spelling_loses_nothing_of_the_sample(name):
    if name in STILL_TOLD_APART:
        pytest.skip("known")
    found = counted(name, SAMPLE)
    lost = [one for one in found.lost if not (name == OF_THE_CALL[0] and OF_THE_CALL[1] in one)]
    assert lost == [] and found.alarms == []
