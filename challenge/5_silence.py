"""Challenge 5: which of the ten digits is it? A convolutional network this time.

What people see: nine answers in ten are wrong after every epoch. No error, no warning, and the loss looks small.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)


def inputs_for(images):
    return torch.tensor(images, dtype=torch.float32).unsqueeze(1) / 16


def targets_for(digits):
    return nn.functional.one_hot(torch.tensor(digits), 10).float()


model = nn.Sequential(
    *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Flatten(), nn.Linear(1024, 64), nn.Sigmoid(), nn.Linear(64, 10), nn.Sigmoid()),
)
loss_fn = nn.BCELoss()


def predict(inputs):
    return model(inputs).argmax(dim=1)


bundle = load_digits()
inputs, targets = inputs_for(bundle.images), targets_for(bundle.target)
train, test = torch.randperm(len(inputs)).split([900, len(inputs) - 900])
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for _ in range(8):
    for batch in train[torch.randperm(900)].split(32):
        optimizer.zero_grad()
        loss_fn(model(inputs[batch]), targets[batch]).backward()
        optimizer.step()
right = predict(inputs[test]) == torch.tensor(bundle.target)[test]
print(f"right answers {right.float().mean():.1%}")
