# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 Start here: two scripts and a vote
#
# After this notebook you can
#
# - describe a case in which one word of code decides between learning and not learning;
# - name the loss and the output activation that fit each of five tasks;
# - look up a verdict on any pairing of task, loss and activation, and the reason for it;
# - choose your way through the course.
#
# **Time:** 15 minutes
#
# **Covers:** document 000, section 1 (the table); document 001, section 1 (the table)
#
# Run every cell with Shift+Enter, or all of them with *Run → Run All Cells*.

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# The tools, and a line that says which images and which device are in use here.

# %%
from IPython.display import Markdown

import lm_utils as lm
from lm_utils.commands import check
from lm_utils.labs import quiz, start
from lm_utils.labs.banner import banner
from lm_utils.labs.style import show

banner(data, device)

# %% [markdown]
# ## 1. Which script learns?
#
# Two colleagues train the same network to read handwritten digits, with the same images, the same optimiser and the
# same loss. (The targets are rows with a 1 at the right digit and 0 elsewhere.) Their scripts differ in **one word**:
# A ends with softmax, B with sigmoid. Neither gets an error or a warning.

# %%
start.two_scripts()

# %% [markdown]
# Both colleagues now press Run. This trains both networks for real, on your machine; it takes a few seconds.

# %%
splits = lm.load_data(data, seed=0)
guess = lm.TASKS["multiclass"].baseline(splits.train.digits, splits.valid.digits)
runs = start.cold_open(splits, device)
show(start.cold_open_figure(runs, guess))

# %% [markdown]
# One curve climbs, the other one lies on the dotted line: script B answers as if it had never seen an image. The
# best epoch of each, tested on images that neither has seen:

# %%
assert runs["A"].test_metric > 0.8 and runs["B"].test_metric < 0.3
Markdown(
    f"Script A: **{runs['A'].test_metric:.1%}** of {len(splits.test):,} test images right. "
    f"Script B: **{runs['B'].test_metric:.1%}**. Always saying the same digit: {guess:.1%}."
)

# %% [markdown]
# Why? Many explanations are on offer. Choose the one you believe; your vote is kept on this machine and comes back
# twice: in notebook 11, which takes the case apart, and in notebook 15, which settles it. The answer is *not* given
# here.

# %%
start.vote(
    "scripts",
    "Why does script B not learn?",
    [
        "Sigmoid outputs do not sum to one, so the largest one means nothing",
        "Sigmoid cannot express ten classes that exclude each other",
        "Binary cross-entropy is the wrong loss for ten classes",
        "Something goes wrong in the first steps of training, and it never recovers",
        "It would learn, given more patience",
    ],
)

# %% [markdown]
# ## 2. What fits what
#
# Documents 000 and 001 ask this question for five tasks, and so does this course. Out of the same image, a network
# may be asked for a number, for one probability, for one of two classes, for one of ten, or for several labels at
# once. Document 000 recommends a loss for each, document 001 an output activation. Put together, and checked
# against the rules that this course uses for its own verdicts:

# %%
fits = start.fitting_table()
fits[["task", "loss", "output activation", "loss in PyTorch"]]

# %% [markdown]
# Two things in this table surprise many people. "Softmax, inside the loss" means that `nn.CrossEntropyLoss` applies
# softmax *itself*: the network ends without one. And several rows fit one task: a task has a family of fitting
# losses, not a single right one. Document 001 also allows ReLU for regression where values are never negative;
# notebook 04 shows what that risks.

# %%
quiz.predict(
    "A network ends with nn.Softmax, and its outputs go into nn.CrossEntropyLoss, which applies softmax again. "
    "What happens?",
    options=["PyTorch raises an error", "it trains, without any warning", "the outputs become wrong classes"],
    answer="it trains, without any warning",
    reading="The largest output stays the largest, so accuracy may look fine; the loss can never reach 0, and its "
    "gradient is smaller. Notebook 06 measures it.",
)

# %% [markdown]
# ### Every combination has a verdict
#
# Pick a task, a loss and an output activation. The map shows the verdict on *all* pairings of that task, your own
# framed; the text says what the loss gets to see, and why that is good or bad. (For regression, targets are
# standardised.) Look for the pairing of script B.

# %%
start.verdict_lab()

# %% [markdown]
# Notice how few pairings are impossible. Most misfits *work somewhat*, and that is what makes them dangerous: nothing
# crashes, the loss falls, and something is lost that no error message mentions.
#
# **Exercise 1.** An app looks at a photograph and says whether it shows a dog, a cat, both, or neither. Which of the
# five tasks is that? Answer with one of `"regression"`, `"probability"`, `"binary"`, `"multiclass"`, `"multilabel"`.

# %%
my_task = ...

# %% tags=["solution"]
my_task = "multilabel"

# %% [markdown]
# Run the next cell to check it.

# %%
quiz.check(
    my_task,
    expected="multilabel",
    mistakes={
        "multiclass": "Classes exclude each other; here both animals may be in the picture.",
        "binary": "Dog or not is one question, cat or not is another one; both may be true.",
        "probability": "One output cannot carry two answers.",
    },
    hint="Can two answers be true at once?",
)

# %% [markdown]
# **Exercise 2.** You classify ten kinds of flowers and use `nn.CrossEntropyLoss`. Which activation should the
# network end with: `"softmax"`, `"sigmoid"` or `"none"`? The table above knows.

# %%
my_activation = ...

# %% tags=["solution"]
my_activation = "none"

# %% [markdown]
# The check asks the same rules that the widget asks.

# %%
fitting = lm.Pairing("multiclass", "cross_entropy", "none")
assert fitting.verdict == "recommended"
quiz.check(
    my_activation,
    expected=fitting.activation,
    mistakes={"softmax": "The loss applies softmax itself; yours would be the second one."},
    hint="Which activation lives inside nn.CrossEntropyLoss?",
)

# %% [markdown]
# ## 3. The map
#
# Notebooks 01 to 07 are the theory: losses, activations, and how the experiments are made. 08 to 12 take one task
# each and try every loss and activation on it. 13 shows how to notice a misfit in your *own* model, 14 lets you play,
# and 15 gives a verdict on every claim of the documents.

# %%
start.course_map()

# %% [markdown]
# ### Three ways through
#
# A lesson of 50 minutes with a projector, an evening or two alone, or a course of two days:

# %%
start.course_path("One lesson", {"00": 12, "11": 28, "15": 10})

# %% [markdown]
# The number after each notebook is its share of the time. In a lesson, show this notebook's two scripts, let everybody
# vote, walk through the figures of notebook 11, and end with the verdicts of 15; the exercises are for home.

# %%
start.course_path("Self-study", ["00", "01", "04", "05", "06", "11", "13"])

# %% [markdown]
# Alone, take the theory that you will use next week, one task in depth, and the notebook that helps you debug.

# %%
start.course_path("Two days", list(start.notebooks_here()))

# %% [markdown]
# In two days there is time for everything, in the order of the numbers: theory on the first day, experiments and
# verdicts on the second.
#
# ## 4. What this machine has
#
# A "problem" stops something from working and says what to do; a "note" is good to know. Everything in this course
# runs without a graphics card and without a network.

# %%
problems = check.main()

# %% [markdown]
# ## Summary
#
# - One word decided between a network that reads digits and one that guesses. You voted on the reason.
# - Every task has fitting losses and activations; the table above is the one to remember.
# - Most misfits raise no error. That is why it pays to know what fits, and how to notice what does not.
#
# Next, the losses themselves, one by one: [01 Losses](01_losses.ipynb).
