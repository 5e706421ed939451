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
# # 15 Verdicts: what the documents claim, and what we found
#
# After this notebook you can
#
# - say for each claim of the five documents whether it holds, and name the evidence;
# - distinguish "we found no difference" from "we showed that there is none";
# - recognise an explanation that sounds right and is not;
# - say what this course does *not* know.
#
# **Time:** {time}
#
# **Covers:** every claim of documents 000, 001, 002, 003 and 004 that can be checked
#
# **Before this one:** any of [08](08_regression.ipynb) to [12](12_multi_label.ipynb);
# the vote was cast in [00](00_start_here.ipynb)

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# Everything here comes from stored results and from computations that take a second; nothing is trained.

# %%
from collections import Counter

import pandas as pd
import torch
from IPython.display import Markdown, display
from scipy import stats

import lm_utils as lm
from lm_utils.evidence import claims, our_verdicts
from lm_utils.evidence import statistics as st
from lm_utils.evidence.results import reference, tested_digits
from lm_utils.files import RESULTS
from lm_utils.lessons import ten_questions
from lm_utils.lessons import verdicts as lesson
from lm_utils.show import quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## 1. What a verdict means
#
# The documents were written by people who learn and share what they learn. They did the hard part: they ran the
# experiments and wrote down what they saw. This notebook judges every claim that some result could show to be false.
# Each claim stands in a file, with its section and a test. The test computes one of five verdicts.

# %%
Markdown("\n".join(f"- **{claims.SIGNS[name]} {name}:** {meaning}." for name, meaning in claims.VERDICTS.items()))

# %% [markdown]
# [Notebook 07](07_experiment_design.ipynb), part 6, has the rules behind these words: what *practically equal* means,
# and why a verdict needs at least six seeds. The exercise repeats its sign-flip test.
#
# **Exercise 1.** Seven of eight paired differences are positive and equally large, the eighth is as large but negative.
# How many patterns are at least as extreme, on both sides? Give the two-sided p.

# %%
p_value = ...

# %% tags=["solution"]
p_value = 2 * (1 + 8) / 2**8

# %% [markdown]
# The next cell checks your answer.

# %%
assert abs(st.sign_flip_p([1.0] * 7 + [-1.0]) - 18 / 2**8) < 1e-9
quiz.check(
    p_value,
    expected=18 / 2**8,
    tolerance=1e-6,
    mistakes={
        9 / 2**8: "That counts one direction; two-sided, the same patterns with all signs flipped count as well.",
        2 / 2**8: "That is the p where all eight agree. Here one of them may be any of the eight.",
        16 / 2**8: "The patterns where all eight agree are even more extreme; they count, too.",
    },
    hint="One pattern has all signs equal; eight have a single odd one. Then the same on the other side.",
)

# %% [markdown]
# ## 2. The whole picture
#
# Before you look: of the claims that were tested, how many hold?

# %%
judged = claims.judge_all()
counts = Counter(one.verdict for one in judged)
tested = len(judged) - counts["not tested"]
share = (counts["holds"] + counts["holds here"]) / tested
assert share > 0.5  # "most are right", says the text below

# %%
options = ["fewer than half", "between half and 85 %", "more than 85 %"]
answer = options[(share >= 0.5) + (share > 0.85)]
quiz.predict("How many of the tested claims hold?", options, answer, f"{share:.0%} of the tested claims hold.")

# %% [markdown]
# The next cell counts the claims by document and verdict, and draws the table. White bars are claims that nobody has
# tested yet.

# %%
lines = pd.DataFrame([(one.claim.document, one.verdict) for one in judged], columns=["document", "verdict"])
table = pd.crosstab(lines["document"], lines["verdict"]).reindex(columns=list(claims.VERDICTS), fill_value=0)
assert table.sum().sum() == len(judged)
show(result_figures.verdict_bars(table))

# %% [markdown]
# Leave the white bars aside and compare the rest. Of the sentences that were tested, most are right. Fewer are refuted,
# and you can learn more from these, because each is a mistake that careful people make. (Do not read too much into the
# share. It depends on how we split sentences into claims. Some claims stand in two documents, and those that begin with
# "…" are consequences that we drew.) You can browse all claims at the end of part 6.
#
# Nothing in this count corrects *across* the claims; each p value is corrected within its own claim or table. Many
# claims give many chances to be lucky. Here is the count when all claims that a p value decides are corrected together,
# as Benjamini and Hochberg do: of those that are left, at most 5 % are expected to be wrong. (Several claims read the
# same runs. The method allows that as long as their p values tend to be small together.)

# %%
by_p = [one for one in judged if one.p == one.p]  # the others have no p value
together = stats.false_discovery_control([one.p for one in by_p])
hold = [p for one, p in zip(by_p, together, strict=True) if one.verdict == "holds here"]
print(f"{len(by_p)} claims with a p value: {len(hold)} hold one by one, {sum(p < 0.05 for p in hold)} hold together")

# %% [markdown]
# Were the rules really fixed before? Most were. Notebook 07, part 6, lists those that were changed later.
#
# ## 3. The vote of the first notebook
#
# Two scripts differed in one word. One learnt, the other guessed, and you were asked why. Here is every answer of that
# vote, with what we measured.

# %%
lesson.vote_answer()

# %% [markdown]
# To test an explanation, keep what it blames, and see whether the harm can still be removed by other means. The first
# three answers blame something that is still there in networks that learn. What differs is the start. All outputs begin
# near 0.5, where nine of ten are too high for every image. So on balance all images push the hidden layer the same way,
# until it is saturated and no gradient leads back. [Notebook 11](11_multi_class.ipynb) shows this, and switches it off
# and on.
#
# ## 4. Explanations that sound right
#
# ### "The output is at most 1"
#
# Document 000 explains the huge error of `nn.BCEWithLogitsLoss` on regression: its sigmoid keeps the output at 1 or
# below, so the error cannot shrink. Ask for the worst case: if every image got the same output from 0 to 1, how large
# could the error be?

# %%
targets = lm.TASKS["regression"].target(tested_digits("mnist")).flatten()
outputs = torch.linspace(-3.6, 1.4, 251)  # standardised, as the network sees the targets
cost = torch.stack([(targets - (targets.mean() + targets.std() * out)).square().mean() for out in outputs])
allowed = (outputs > -0.01) & (outputs < 1.01)
print(f"the worst constant output from 0 to 1 has an error of {cost[allowed].max():.2f}")
show(lesson.bound_figure(outputs, cost))

# %% [markdown]
# The grey band holds all outputs that a sigmoid allows. The curve is the error if every image got that output; inside
# the band it stays far below the published line. The diamonds are our own runs of this row, at the mean of their
# outputs. On which side of the band were they at their best epoch?

# %%
lesson.verdict_on("000-at-most-one")

# %% [markdown]
# The published figure itself refutes the explanation; no run of ours was needed. For every explanation, ask what the
# *worst* case would be if it were true. It is a good habit.
#
# Document 000 has more explanations that sound right. Each is tested where its task is taught: "softmax cannot learn
# several labels properly" in [12](12_multi_label.ipynb), part 4; "accuracy is enough, because the classes are balanced"
# in [09](09_probability.ipynb), part 8. The slips of documents 003 and 004 can be put to PyTorch directly: a gradient
# with the opposite sign in [03](03_losses_from_scratch.ipynb), probabilities where `nn.CrossEntropyLoss` wants raw
# outputs in [06](06_bce_and_logits.ipynb). The menus in part 6 show all that are refuted.
#
# ## 5. "No difference" and "not shown"
#
# Document 000 finds in several places that there is no large difference (큰 차이는 없다). This claim is stronger than
# it looks. To show it, you need an interval that is *narrow*; it is not enough that it contains zero. The table
# counts rows with two classes and ten seeds by both rules; each interval is that of the difference to cross-entropy on
# logits.

# %%
runs = pd.read_csv(RESULTS / "mnist" / "runs.csv").query("task == 'binary' and hidden == 'sigmoid' and not prior_bias")
score = 100 * runs.pivot(index="seed", columns=["loss", "activation"], values="test_metric").dropna(axis="columns")
gaps = score.sub(score["cross_entropy", "none"], axis=0).drop(columns=[("cross_entropy", "none")])
reach = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std() / len(gaps) ** 0.5
contains_zero, in_the_band = gaps.mean().abs() <= reach, gaps.mean().abs() + reach <= 100 * st.MARGIN["accuracy"]
assert in_the_band.all() and 0 < contains_zero.sum() < len(gaps.columns)  # as the text below says
display(pd.crosstab(contains_zero.rename("contains zero"), in_the_band.rename("whole interval in the band")))
lesson.verdict_on("000-binary-equal")

# %% [markdown]
# All these intervals lie in the band of half a point. Where one of them excludes zero, the difference is real and too
# small to matter. [Notebook 10](10_binary.ipynb), part 2, draws them, with the band in grey. An interval that is partly
# inside the band leaves the question open, even if it excludes zero.
#
# **Exercise 2.** Does the difference matter? Write the rule of notebook 07 as a function of the interval's ends and the
# margin. It returns `"equal"`, `"different"` (by an amount that matters) or `"undecided"`.

# %%
read_interval = ...  # def read_interval(low, high, margin): ...


# %% tags=["solution"]
def read_interval(low, high, margin):
    if -margin <= low and high <= margin:
        return "equal"
    return "different" if low > margin or high < -margin else "undecided"


# %% [markdown]
# The next cell compares your function with ours on six intervals. One of them tests for the most common mistake.


# %%
def rule(low, high, margin):
    ours = st.Estimate(0.0, low, high, 10)
    return "equal" if ours.inside(margin) else "different" if ours.outside(margin) else "undecided"


contains_zero = lambda low, high, margin: "equal" if low <= 0 <= high else "different"  # noqa: E731
cases = [(-0.2, 0.3, 0.5), (-3.0, 2.0, 0.5), (0.6, 0.9, 0.5), (0.1, 0.3, 0.5), (-2.0, -0.7, 0.5), (0.2, 0.8, 0.5)]
mistake = (contains_zero, "An interval that contains zero may also contain five points; look at the margin.")
quiz.check_function(read_interval, rule, cases, mistakes=[mistake], hint="Compare both ends with both margins.")

# %% [markdown]
# ## 6. Our own verdicts
#
# The course also makes claims: every pairing carries a verdict (`lm.Pairing(...).verdict`). We wrote them down before
# the runs and corrected them where runs contradicted them. For example, networks with raw regression targets turned out
# to collapse, and MAE behind a single sigmoid turned out to lose a run now and then. So it is only fair to test our
# verdicts against the results again. (The results include the seeds that led to the corrections, so this test is a
# little kind to us.)

# %%
found = our_verdicts.contradictions()
Markdown("\n".join(f"- {line}" for line in found) or "No verdict of ours is contradicted by the stored runs so far.")

# %% [markdown]
# We apply the same rule to ourselves as to the documents: a *recommended* row is refuted if another row of its task is
# clearly ahead by more than half a percentage point. This happens in the task with one probability. With ten classes
# the square losses on raw outputs are ahead of cross-entropy on every fresh seed, on average by about half a point
# ([notebook 17](17_at_work.ipynb), part 6, shows these runs, and a network on which they are not ahead). *Recommended*
# means that loss, activation and task fit together. It does not mean that nothing scores higher.

# %% [markdown]
# The rest of the grids in notebooks 08 to 12 is a harder test. No document ran these pairings, and we had written their
# verdicts down before we trained any of them.

# %%
runs = reference()
others = our_verdicts.beyond_the_documents(runs)
said = pd.Series([our_verdicts.forecast(pairing) for pairing in others], name="we had said")
came = pd.Series([our_verdicts.outcome(pairing, runs) for pairing in others], name="what came")
pd.crosstab(said, came)

# %% [markdown]
# The next cell counts how many came out as we had said, and names those that did not:

# %%
wrong = our_verdicts.misses(runs)
came_true = pd.Series([pairing not in wrong for pairing in others])
display(came_true.groupby(said).agg(["sum", "size"]).set_axis(["came out as we had said", "of"], axis=1))
lesson.forecast_misses()

# %% [markdown]
# A *handicapped* pairing learns less than it could, or not at all; our verdict counts as a miss where every run does
# learn its task. Many forecasts were easy: we need no experiment to know that a loss stops with an error when it
# refuses its inputs. The misses teach more. (Three seeds are enough to see whether a pairing learns, but too few to
# prove two pairings equal.)
#
# Here are all claims of the documents. Choose among them with the two menus:

# %%
lesson.browser(judged)

# %% [markdown]
# ## 7. Ten questions, again
#
# These are the same ten questions as in [notebook 00](00_start_here.ipynb). This time you also get the answers, and a
# comparison: what you know now, and how well you judge what you know.

# %%
ten_questions.after()

# %% [markdown]
# If you gave a wrong answer with confidence, spend an evening on it: follow its pointer.
#
# ## Summary
#
# - Of the sentences that were tested so far, most hold. There are fewer mistakes, and each is instructive.
# - To test an explanation, keep what it blames and try to remove the harm, or ask what its worst case would be.
# - "Not shown" is not "equal". To show "equal", you need a narrow interval.
# - "Accuracy is enough" is a claim like any other: look at the probabilities and the epochs, too.
# - What nobody ran is marked as not tested. If one of those claims matters to you, run it: the rows and claims are
#   plain text files, and `make results` goes on where it stopped.
#
# **Next:** one claim is so large that it has a notebook of its own: does misuse cost more on new data?
# [16 On new data](16_on_new_data.ipynb). Or go back to the map in [00 Start here](00_start_here.ipynb).
