"""The callbacks look once at the first batch; tested with the real packages where they are installed."""

import copy
import threading
from functools import wraps
from importlib import import_module

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from lm_utils.doctor import DoctorError


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


def trained(module, doctor=None):
    """Train two epochs, with the doctor or without: all that the module then holds, and how often it was logged."""
    lightning = import_module("lightning.pytorch")

    class Writer(lightning.loggers.logger.Logger):
        name, version, written = "writer", "1", 0
        experiment = property(lambda self: self)

        def log_metrics(self, *_, **__):
            self.written += 1

        add_scalar = log_hyperparams = log_metrics

    lightning.seed_everything(0, verbose=False)
    trainer = lightning.Trainer(max_epochs=2, accelerator="cpu", logger=Writer(), enable_checkpointing=False,
                                enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
                                callbacks=[doctor] if doctor else [])  # fmt: skip
    trainer.fit(module, loader())
    return [*module.state_dict().values()], trainer.logger.written, len(module.seen)


def through(function):
    """A decorator, as people write them."""

    @wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


def asks_its_trainer(self, batch, batch_idx):
    self.log("rate", self.optimizers().param_groups[0]["lr"])
    self.trainer.should_stop = False
    return F.cross_entropy(self(batch[0]), batch[1]) * (1 + self.current_epoch / self.trainer.max_epochs)


def writes(self, batch, batch_idx):
    self.logger.experiment.add_scalar("loss", 1.0, self.global_step)
    return F.cross_entropy(self(batch[0]), batch[1])


def squeezes(self, batch, batch_idx):
    return self.criterion(self(batch[0])[:, :1].squeeze(1), batch[1].float())


def collects(self, batch, batch_idx):
    with self.lock:
        self.seen.append(self.criterion(self(batch[0]).mean(1), batch[0].mean(1)))
    return self.seen[-1]


def steps_itself(self, batch, batch_idx):
    self.optimizers().zero_grad()
    self.manual_backward(F.cross_entropy(self(batch[0]), batch[1]))
    self.optimizers().step()


@through
def decorated(self, batch, batch_idx):
    return F.cross_entropy(self(batch[0]), batch[1])


def copies_the_input(self, batch, batch_idx):
    return self.loss(self(batch[0]).mean(1) + batch[0].mean(1), batch[0].mean(1))


STEPS = [asks_its_trainer, writes, squeezes, collects, steps_itself, decorated, copies_the_input]


@pytest.mark.filterwarnings("ignore:.*num_workers", "ignore:.*log_every_n_steps")
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_training_step_of_any_kind_is_trained_as_without_the_doctor(step):
    lightning = pytest.importorskip("lightning.pytorch", reason="lightning is not installed")
    doctor_callback = import_module("lm_utils.doctor.lightning_callback").DoctorCallback

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net, self.criterion = nn.Sequential(nn.Linear(8, 5), nn.BatchNorm1d(5), nn.Dropout(0.1)), nn.MSELoss()
            self.seen, self.lock = [], threading.Lock()
            self.automatic_optimization = step is not steps_itself

        training_step = step

        def forward(self, x):
            return self.net(x)

        def loss(self, outputs, targets):
            return F.mse_loss(outputs, targets)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=0.1)

    doctor = doctor_callback(strict=True)
    lightning.seed_everything(0, verbose=False)
    first = Module()
    second = copy.deepcopy(first.net)
    found, *counts = trained(first, doctor)
    assert doctor.report.ok and "log" not in vars(first), str(doctor.report)
    other = Module()
    other.net = second
    alone, *counts_alone = trained(other)
    assert all(map(torch.equal, found, alone)) and counts == counts_alone


def test_hugging_face(tmp_path):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    doctor_callback = import_module("lm_utils.doctor.trainer_callback").DoctorCallback

    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=3
    )
    rows = [{"input_ids": torch.randint(0, 50, (6,)), "labels": torch.tensor(i % 3)} for i in range(16)]  # fmt: skip

    def run(*ends, callbacks=(), **options):
        torch.manual_seed(0)
        model = transformers.BertForSequenceClassification(config)
        model.classifier = nn.Sequential(model.classifier, *ends)
        arguments = transformers.TrainingArguments(
            str(tmp_path), max_steps=2, per_device_train_batch_size=8, use_cpu=True, report_to=[], save_strategy="no",
            disable_tqdm=True, **options)  # fmt: skip
        transformers.Trainer(model=model, args=arguments, train_dataset=rows, eval_dataset=rows[:8],
                             callbacks=list(callbacks)).train()  # fmt: skip
        return model

    doctor, other = doctor_callback(), doctor_callback()
    with pytest.warns(UserWarning, match="softmax_before_cross_entropy"):
        model = run(nn.Softmax(-1), callbacks=[doctor])
    alone = run(nn.Softmax(-1))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), alone.parameters(), strict=True))
    run(callbacks=[other])
    assert other.report.ok, str(other.report)
    for options in (
        {"label_smoothing_factor": 0.1},
        {"eval_on_start": True, "eval_strategy": "steps", "eval_steps": 1},
    ):
        patient = doctor_callback(strict=True)
        model = run(callbacks=[patient], **options)
        assert patient.report.ok and not model._forward_pre_hooks, str(patient.report)
        assert ("not_looked_at" in patient.report.codes) == ("eval_steps" not in options)  # its loss is the Trainer's


@pytest.mark.parametrize("room", ["lightning_callback", "trainer_callback"])
def test_a_callback_refuses_a_code_that_does_not_exist(room):
    pytest.importorskip("lightning" if room.startswith("light") else "transformers")
    with pytest.raises(DoctorError, match="the nearest is 'large_targets'"):
        import_module(f"lm_utils.doctor.{room}").DoctorCallback(ignore=["large_target"])
