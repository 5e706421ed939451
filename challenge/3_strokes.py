"""Challenge 3: how many strokes and holes does the digit have? (a number from 1 to 6)

What people see: every image gets the same answer. "The data must be too hard," says the author. Look twice.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
STROKES = torch.tensor([2.0, 1, 2, 2, 6, 3, 3, 2, 4, 3])  # of the digits 0 to 9


def inputs_for(images):
    return torch.tensor(images, dtype=torch.float32).flatten(1) / 16


def targets_for(digits):
    return STROKES[torch.tensor(digits)]


model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid())
loss_fn = nn.MSELoss()


def predict(inputs):
    return model(inputs)


bundle = load_digits()
inputs, targets = inputs_for(bundle.images), targets_for(bundle.target)
train, test = torch.randperm(len(inputs)).split([900, len(inputs) - 900])
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for _ in range(30):
    for batch in train[torch.randperm(900)].split(32):
        optimizer.zero_grad()
        loss = loss_fn(model(inputs[batch]), targets[batch])
        loss.backward()
        optimizer.step()
error = (predict(inputs[test]).flatten() - targets[test].flatten()).square().mean()
print(f"last loss {loss:.4f}, mean squared error {error:.3f}")
