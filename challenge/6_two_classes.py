"""Challenge 6: curved or not, with one output per class.

What people see: the loss is below 0 ("better than perfect!"), yet many answers are wrong. Look twice.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)


def inputs_for(images):
    return torch.tensor(images, dtype=torch.float32).flatten(1) / 16


def targets_for(digits):
    return torch.isin(torch.tensor(digits), torch.tensor([0, 3, 6, 8, 9])).long()  # class 1 = curved


model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2), nn.Softmax(dim=0))
loss_fn = nn.NLLLoss()


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
