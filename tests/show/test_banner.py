"""The line at the top of a notebook."""

from lm_utils.data import describe_data, digits_source, friendly
from lm_utils.show.banner import banner


def test_offline_the_data_are_named_without_paths_and_errors():
    told = friendly(digits_source("instead of MNIST: /home/me/MNIST/raw/x is missing and [Errno 111] refused"))
    assert told.startswith("scikit-learn's handwritten digits") and "600 train" in told
    assert "/home" not in told and "Errno" not in told and "because MNIST could not be downloaded" in told
    assert friendly(describe_data("digits")) == describe_data("digits")


def test_the_banner_names_data_and_device():
    shown = banner("digits", "cpu").data
    assert "600 train" in shown and "cpu" in shown and 'role="note"' in shown
