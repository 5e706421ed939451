"""Challenge 2: how likely is the digit curved (0, 3, 6, 8, 9)?

What people see: the loss never moves, and half of the answers are right, as if somebody tossed a coin.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x):
        return torch.softmax(self.layers(x), dim=1)


def inputs_for(images):
    return torch.tensor(images, dtype=torch.float32).flatten(1) / 16


def targets_for(digits):
    return torch.isin(torch.tensor(digits), torch.tensor([0, 3, 6, 8, 9])).float().unsqueeze(1)


def predict(inputs):
    return model(inputs) >= 0.5


model, loss_fn, bundle = Network(), nn.BCELoss(), load_digits()
inputs, targets = inputs_for(bundle.images), targets_for(bundle.target)
train, test = torch.randperm(len(inputs)).split([900, len(inputs) - 900])
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for _ in range(20):
    for batch in train[torch.randperm(900)].split(32):
        optimizer.zero_grad()
        loss_fn(model(inputs[batch]), targets[batch]).backward()
        optimizer.step()
print(f"right answers {(predict(inputs[test]) == targets[test].bool()).float().mean():.1%}")
