"""The callbacks look once at the first batch; tested with the real packages where they are installed."""

from importlib import import_module

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


def loader():
    data = TensorDataset(torch.randn(32, 8), torch.arange(32) % 5)
    return DataLoader(data, batch_size=16)


@pytest.fixture
def fit():
    lightning = pytest.importorskip("lightning.pytorch", reason="lightning is not installed")
    doctor_callback = import_module("lm_utils.doctor.lightning_callback").DoctorCallback

    class Module(lightning.LightningModule):
        def __init__(self, named, *ends):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(8, 5), nn.BatchNorm1d(5), *ends)
            if named:
                self.criterion = nn.CrossEntropyLoss()
            self.losses = []

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, batch_idx):
            x, y = batch
            loss = F.cross_entropy(self(x), y)
            self.losses.append(loss.item())
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def run(named, *ends, callback=True, **options):
        torch.manual_seed(0)
        module, doctor = Module(named, *ends), doctor_callback(**options)
        trainer = lightning.Trainer(
            max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, callbacks=[doctor] if callback else [])  # fmt: skip
        trainer.fit(module, loader())
        return module, doctor

    return run


@pytest.mark.parametrize("named", [True, False])
def test_lightning(fit, named):
    with pytest.warns(UserWarning, match="softmax_before_cross_entropy"):
        module, doctor = fit(named, nn.Softmax(1))
    assert "softmax_before_cross_entropy" in doctor.report.codes
    alone, _ = fit(named, nn.Softmax(1), callback=False)
    assert module.losses == alone.losses  # the doctor changed nothing
    assert fit(named)[1].report.ok
    with pytest.raises(AssertionError, match="softmax_before_cross_entropy"):
        fit(named, nn.Softmax(1), strict=True)
    assert fit(named, nn.Softmax(1), strict=True, ignore=["softmax_before_cross_entropy"])[1].report.ok


def test_hugging_face(tmp_path):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    doctor_callback = import_module("lm_utils.doctor.trainer_callback").DoctorCallback

    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=3
    )
    rows = [{"input_ids": torch.randint(0, 50, (6,)), "labels": torch.tensor(i % 3)} for i in range(16)]  # fmt: skip

    def run(*ends, callbacks=()):
        torch.manual_seed(0)
        model = transformers.BertForSequenceClassification(config)
        model.classifier = nn.Sequential(model.classifier, *ends)
        arguments = transformers.TrainingArguments(
            str(tmp_path), max_steps=2, per_device_train_batch_size=8, use_cpu=True, report_to=[], save_strategy="no",
            disable_tqdm=True)  # fmt: skip
        transformers.Trainer(model=model, args=arguments, train_dataset=rows, callbacks=list(callbacks)).train()
        return model

    doctor, other = doctor_callback(), doctor_callback()
    with pytest.warns(UserWarning, match="softmax_before_cross_entropy"):
        model = run(nn.Softmax(-1), callbacks=[doctor])
    alone = run(nn.Softmax(-1))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), alone.parameters(), strict=True))
    run(callbacks=[other])
    assert other.report.ok, str(other.report)
