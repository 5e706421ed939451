"""Challenge 4: is the digit even? prime? curved? a square? (several can be true at once)

What people see: it learns, but about one answer in four stays wrong, however long it trains.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
LABELS = [[0, 2, 4, 6, 8], [2, 3, 5, 7], [0, 3, 6, 8, 9], [0, 1, 4, 9]]


def inputs_for(images):
    return torch.tensor(images, dtype=torch.float32).flatten(1) / 16


def targets_for(digits):
    digits = torch.tensor(digits)
    return torch.stack([torch.isin(digits, torch.tensor(members)) for members in LABELS], dim=1).float()


model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4), nn.Softmax(dim=1))
loss_fn = nn.CrossEntropyLoss()


def predict(inputs):
    return model(inputs) >= 0.5


bundle = load_digits()
inputs, targets = inputs_for(bundle.images), targets_for(bundle.target)
train, test = torch.randperm(len(inputs)).split([900, len(inputs) - 900])
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for _ in range(30):
    for batch in train[torch.randperm(900)].split(32):
        optimizer.zero_grad()
        loss_fn(model(inputs[batch]), targets[batch]).backward()
        optimizer.step()
print(f"right answers {(predict(inputs[test]) == targets[test].bool()).float().mean():.1%}")
