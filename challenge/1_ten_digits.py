"""Challenge 1: which of the ten digits is it?

What people see: most answers are right, yet the loss stays near 1.5 for ever, while a colleague's comes close to 0.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)


def inputs_for(images):
    return torch.tensor(images, dtype=torch.float32).flatten(1) / 16


def targets_for(digits):
    return torch.tensor(digits)


model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(dim=1))
loss_fn = nn.CrossEntropyLoss()


def predict(inputs):
    return model(inputs).argmax(dim=1)


bundle = load_digits()
inputs, targets = inputs_for(bundle.images), targets_for(bundle.target)
train, test = torch.randperm(len(inputs)).split([900, len(inputs) - 900])
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for _ in range(20):
    for batch in train[torch.randperm(900)].split(32):
        optimizer.zero_grad()
        loss = loss_fn(model(inputs[batch]), targets[batch])
        loss.backward()
        optimizer.step()
right = (predict(inputs[test]) == targets[test]).float().mean()
print(f"last loss {loss:.4f}, right answers {right:.1%}")
