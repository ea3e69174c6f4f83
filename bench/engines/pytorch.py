# The peer: the same nets in PyTorch, timed by the same protocol as timed-child.ts.
# usage: pytorch.py NET.json THREADS [fused] [channels-last]
import json
import sys
import time

import torch
from torch import nn

net = json.loads(sys.argv[1])
threads = int(sys.argv[2])
fused = "fused" in sys.argv[3:]
last = "channels-last" in sys.argv[3:]
torch.set_num_threads(threads)
torch.manual_seed(1)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

modules = []
shape = net["input"]
for layer in net["layers"]:
    if layer["kind"] == "conv":
        modules += [nn.Conv2d(shape[2], layer["filters"], layer["size"], padding="same"), nn.ReLU()]
        shape = [shape[0], shape[1], layer["filters"]]
    elif layer["kind"] == "pool":
        modules.append(nn.MaxPool2d(layer["size"]))
        shape = [shape[0] // layer["size"], shape[1] // layer["size"], shape[2]]
    elif layer["kind"] == "flatten":
        modules.append(nn.Flatten())
        size = 1
        for length in shape:
            size *= length
        shape = [size]
    else:
        modules.append(nn.Linear(shape[0], layer["units"]))
        if layer["activation"] == "relu":
            modules.append(nn.ReLU())
        shape = [layer["units"]]
model = nn.Sequential(*modules).to(device)
if last:
    model = model.to(memory_format=torch.channels_last)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused or None)
cost = nn.CrossEntropyLoss()

# PyTorch's own order of axes is channels first.
record = [net["input"][2], *net["input"][:2]] if len(net["input"]) == 3 else net["input"]
batches = [
    (torch.rand(net["batch"], *record), torch.randint(net["classes"], (net["batch"],))) for _ in range(4)
]


def step(n):
    x, y = batches[n % 4]
    x, y = x.to(device), y.to(device)
    if last:
        x = x.to(memory_format=torch.channels_last)
    optimizer.zero_grad(set_to_none=True)
    loss = cost(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def say(line):
    print(json.dumps(line), flush=True)


step(0)
name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
say({"label": f"PyTorch {torch.__version__} ({name}, {threads} threads{', fused Adam' if fused else ''}{', channels last' if last else ''})"})
count = 0
for line in sys.stdin:
    ms = []
    for _ in range(int(line)):
        start = time.perf_counter()
        step(count)
        ms.append((time.perf_counter() - start) * 1000)
        count += 1
    say({"ms": ms})
