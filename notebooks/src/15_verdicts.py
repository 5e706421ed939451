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
# - say what this course does *not* know, especially about new data.
#
# **Time:** 50 minutes, in two halves: parts 1 to 5, then 6 to 11
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
# Everything here comes from stored results and from computations that take a second; nothing is trained. Every result
# says where it comes from.

# %%
import torch
from IPython.display import Markdown

from lm_utils.evidence import claims, tables
from lm_utils.evidence import statistics as st
from lm_utils.evidence.our_verdicts import contradictions
from lm_utils.evidence.results import tested_digits
from lm_utils.lessons import new_data, ten_questions
from lm_utils.lessons import verdicts as lesson
from lm_utils.show import quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## 1. What a verdict means
#
# The documents were written by people who learn and share what they learn. They did the hard part: they ran the
# experiments and wrote down what they saw. This notebook lists a claim if some result could show it to be false. Each
# claim stands in a file with its section and with the name of a test, and the test computes one of five verdicts.

# %%
Markdown("\n".join(f"- **{claims.SIGNS[name]} {name}:** {meaning}." for name, meaning in claims.VERDICTS.items()))

# %% [markdown]
# We fixed two rules before we looked at any result. **Practically equal** means: the whole 95 % interval of the paired
# difference lies within half a percentage point of accuracy, or within 0.01 of mean squared error. And a verdict needs
# at least six seeds. The next cell shows why: with five seeds, even five differences that all point the same way do not
# reach a p value below 5 %.

# %%
smallest = {n: st.sign_flip_p([1.0] * n) for n in (3, 5, 6, 10)}
assert smallest[5] > 0.05 > smallest[6]
smallest

# %% [markdown]
# These are the smallest p values that a sign-flip test can reach with so many paired seeds. Three seeds are enough for
# an illustration; a table needs ten.
#
# **Exercise 1.** What is the smallest two-sided p with eight paired seeds? Each seed's difference may keep its sign
# or flip it, and all patterns are equally likely if there is no effect.

# %%
smallest_p = ...

# %% tags=["solution"]
smallest_p = 2 / 2**8

# %% [markdown]
# The next cell checks your answer.

# %%
quiz.check(
    smallest_p,
    expected=2 / 2**8,
    tolerance=1e-6,
    mistakes={1 / 2**8: "That counts one direction; two-sided, the pattern with all signs flipped counts as well."},
    hint="How many patterns of plus and minus are there, and how many are as extreme as the one with all signs equal?",
)

# %% [markdown]
# ## 2. The whole picture
#
# Before you look: of the claims that were tested, how many hold?

# %%
judged = claims.judge_all()
share = lesson.share_that_holds(judged)
options = ["fewer than half", "between half and 85 %", "more than 85 %"]
answer = options[(share >= 0.5) + (share > 0.85)]
quiz.predict("How many of the tested claims hold?", options, answer, f"{share:.0%} of the tested claims hold.")

# %% [markdown]
# Here is the count, verdict by verdict.

# %%
assert share > 0.5  # "most sentences are right", says the text below
lesson.summary_sentence(judged)

# %% [markdown]
# The figure splits the claims by document. Claims in the white bars still wait for a test; white is not a polite word
# for "wrong".

# %%
show(result_figures.verdict_bars(claims.counts(judged)))

# %% [markdown]
# Leave the white bars aside and compare the rest. Of the sentences that were tested, most are right. Fewer are refuted,
# and you can learn more from these, because each is a mistake that careful people make. (Do not read too much into the
# share. It depends on how we split sentences into claims. Some claims stand in two documents, and those that begin with
# "…" are consequences that we drew.) You can browse all claims at the end of part 8.

# %% [markdown]
# ## 3. The vote of the first notebook
#
# Two scripts differed in one word. One learnt, the other guessed, and you were asked why. Here is every answer of that
# vote, with what we measured.

# %%
lesson.vote_answer()

# %% [markdown]
# A good explanation must survive a test: keep what it blames, and see whether the harm can still be removed by other
# means. The first three answers blame something that is still there in networks that learn. What differs is the start.
# At 0.5 nine outputs of ten are too high for every image. So on balance all images push the hidden layer the same way,
# until it is saturated and no gradient leads back. [Notebook 11](11_multi_class.ipynb) shows this, and switches it off
# and on.
#
# ## 4. Explanations that sound right
#
# ### "The output is at most 1"
#
# Document 000 explains the huge error of `nn.BCEWithLogitsLoss` on regression: its sigmoid keeps the output at 1 or
# below, so the error cannot shrink. Look at the figure and decide whether that can be true.

# %%
show(lesson.bound_figure())

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
# ### "Softmax cannot learn several labels properly"

# %%
lesson.cut_question()

# %% [markdown]
# A network with softmax must share 1 among all labels that are true. Two true labels get one half each, and one half is
# just where the answer changes from no to yes. The network may know the answer, and we may still read it wrongly.

# %%
show(lesson.cut_figure())

# %% [markdown]
# Squares are read at 0.5, circles at a cut that was chosen on validation images. Each pair of marks is the *same*
# network. Where both marks stand together, the cut did not matter. Where they stand apart, the harm was in the reading.
# The gap between a circle and the sigmoids is real; [notebook 12](12_multi_label.ipynb) says where most of it comes
# from. So "cannot be learnt" is wrong for one loss and not shown for the other. One thing remains true: as
# probabilities of the labels such outputs are wrong whatever the cut, because they add up to 1.
#
# ### "Accuracy is enough, because the classes are balanced"

# %%
lesson.verdict_on("000-accuracy-enough")

# %% [markdown]
# The digits are balanced, so this part is right: no imbalance makes accuracy misleading here. But whether accuracy is
# *enough* depends on what the outputs are for. Two networks with the same number of right answers can differ in how
# honest their probabilities are.
#
# ## 5. Slips of the pen, and what they cost
#
# Documents 003 and 004 contain code and formulas, so PyTorch can be asked directly. One slip deserves a prediction.

# %%
quiz.predict(
    "Document 003 has the loss −a·log(b) and the gradient (a − b) / n, with the same a and b. Where does that lead?",
    ["downhill, as it should", "uphill", "nowhere"],
    "uphill",
    claims.verdict_of("003-order").evidence,
)

# %% [markdown]
# With the label as `a` and the prediction as `b`, label minus prediction is the gradient with the opposite sign. The
# comment beside the call is right: prediction minus label. (The document does not show all of the calling code; perhaps
# it swaps the two for one of the functions.) Such a slip does not crash. A check against autograd, as in [notebook
# 03](03_losses_from_scratch.ipynb), finds it in a second.

# %%
refuted = lesson.chosen(judged, "003", "refuted")
assert "003-order" in {one.claim.id for one in refuted}
claims.claims_table(refuted)

# %% [markdown]
# Document 004 describes three loss functions parameter by parameter, and nearly everything it says about the parameters
# is right. These sentences are not:

# %%
refuted = lesson.chosen(judged, "004", "refuted")
assert {"004-takes-probabilities", "004-z", "004-unstable"} <= {one.claim.id for one in refuted}
claims.claims_table(refuted)

# %% [markdown]
# The sentence about probabilities as input is the most expensive one in practice. If you believe it, you write softmax
# before `nn.CrossEntropyLoss`, and no error tells you. [Notebook 06](06_bce_and_logits.ipynb) shows what it costs.
#
# ## 6. "No difference" and "not shown"
#
# Document 000 finds in several places that there is no large difference (큰 차이는 없다). This claim is stronger than
# it looks. To show it, you need an interval that is *narrow*; it is not enough that it contains zero.

# %%
lesson.verdict_on("000-binary-equal")

# %% [markdown]
# The figure shows the same rows. Here each row is compared with the pairing that fits by the rules of this course,
# cross-entropy on logits. The claim itself compares with the document's own recommendation.

# %%
show(result_figures.differences(tables.summary("binary", "loss")))

# %% [markdown]
# The grey band is what we agreed to call practically equal. An interval inside it shows equality. An interval wholly
# outside it shows a difference that matters. An interval that is partly inside leaves the question open: it may exclude
# zero, and so show a difference (*better* or *worse* in our tables), without telling whether the difference matters.
#
# **Exercise 2.** Does the difference matter? Write that rule as a function of the interval's ends and the margin. It
# returns `"equal"`, `"different"` (by an amount that matters) or `"undecided"`.

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
# ## 7. Is sigmoid really worse than nothing?
#
# In its section 3-2, document 000 suspects that MSE, MAE and RMSE do slightly better without an output activation, and
# it asks for more experiments. That is how a good report ends. Here are the experiments.

# %%
lesson.verdict_on("000-no-activation")

# %% [markdown]
# The figure shows every run behind that answer:

# %%
show(result_figures.dots_and_intervals(tables.summary("probability", "loss")))

# %% [markdown]
# Compare the rows in pairs, with and without a sigmoid, and look at the spread of the single dots. The document has one
# run of each row. Where the dots of two rows overlap, these single runs could have come out in another order. Where
# they do not overlap, that is unlikely.
#
# ## 8. Our own verdicts
#
# The course also makes claims: every pairing carries a verdict (`lm.Pairing(...).verdict`). We wrote them down before
# the runs and corrected them where runs contradicted them. For example, networks with raw regression targets turned out
# to collapse, and MAE behind a single sigmoid turned out to lose a run now and then. So it is only fair to test our
# verdicts against the results again. (The results include the seeds that led to the corrections, so this test is a
# little kind to us.)

# %%
found = contradictions()
Markdown("\n".join(f"- {line}" for line in found) or "No verdict of ours is contradicted by the stored runs so far.")

# %% [markdown]
# We apply the same rule to ourselves as to the documents: a *recommended* row is refuted if another row of its task is
# clearly ahead by more than half a percentage point. This happens in the task with one probability. *Recommended* means
# that loss, activation and task fit together. It does not mean that nothing scores higher.

# %% [markdown]
# The rest of the grids in notebooks 08 to 12 is a harder test. No document ran these pairings, and we had written their
# verdicts down before we trained any of them.

# %%
lesson.forecast_table()

# %% [markdown]
# The next cell counts how many came out as we had said, and names those that did not:

# %%
lesson.forecast_misses()

# %% [markdown]
# A *handicapped* pairing learns less than it could, or not at all; our verdict counts as a miss where every run does
# learn its task. Nobody should be proud of the easy ones: we need no experiment to know that a loss stops with an error
# when it refuses its inputs. The misses teach more. (These are few seeds. They are enough to see whether a pairing
# learns, but too few to prove two pairings equal.)
#
# Here are all claims of the documents. Choose among them with the two menus:

# %%
lesson.browser(judged)

# %% [markdown]
# ## 9. Does misuse cost more on new data?
#
# The strongest sentence of document 000 stands at its beginning: a loss that does not fit may do well on the data at
# hand and *markedly worse on new data*. The document never tests it. It is the right question, because rows that look
# equal on MNIST might differ elsewhere. "Elsewhere" here means fewer training images, wrong labels, rare classes, test
# images that were turned or made noisy, and digits drawn by other people. All runs use fresh seeds.

# %%
new_data.furthest_question()

# %% [markdown]
# Here is the measurement:

# %%
new_data.all_differences()

# %% [markdown]
# Each mark is a difference with its interval: a misfit minus cross-entropy on logits under the same condition, seed by
# seed. Note the scales of the first two panels: linear in the middle, logarithmic outside. Read the left panel as in
# part 6. An interval inside the grey band shows equality. An interval wholly to the left of the band shows a cost in
# accuracy that matters. An interval that is partly inside leaves the question open. The middle panel shows the cost in
# probabilities (right of zero is worse), the last one the cost in epochs. Fewer epochs are no gain where a run was
# ended early because it made no progress, so read the last panel beside the first. Test images that were turned, made
# noisy or drawn by other people are shown to networks trained on clean ones, so there is no training to count there.
# (Where few images or wrong labels are the condition, only the training part is changed. The 3,000 validation images,
# which say when to stop, stay clean.)
#
# One misfit stands out, far on the left. But we found it by looking at dozens of intervals at once, and with six seeds
# such a search can prove next to nothing. (There are candidates on the other side, too: with wrong labels the same
# misfit did better than the fitting pairing. Part 10 tests that again.) What a search finds is a question, not an
# answer. So we tested this loss again, alone, on seeds that nobody had looked at, and wrote our expectation down first:

# %%
show(new_data.confirmation_figure())

# %% [markdown]
# The top row is the data at hand, where the two are practically equal. Here are the numbers for the other two rows:

# %%
new_data.confirmation_sentences()

# %%
common = (tested_digits("mnist") < 5).float().mean().item()
Markdown(f"The five common digits make up **{common:.1%}** of the test images.")

# %% [markdown]
# A run that ends there gets hardly any of the rare digits right; compare the crosses above. Two explanations sound
# right. Either these networks are *blind*: they have learnt to say no to the rare classes and are sure of it, and where
# the first softmax is sure, no gradient is left to change that. Or they are *slow*: the loss is flat for a while, and
# early stopping, with a patience of 10 epochs as in the documents, ended them too soon. Part 3 said how to decide
# between explanations. We trained the same networks again from the same seeds and changed only the patience.

# %%
new_data.patience_question()

# %%
show(new_data.confirmation_figure(patience=True))

# %% [markdown]
# Here are the same results as differences to softmax once, seed by seed:

# %%
new_data.confirmation_sentences("patience")

# %% [markdown]
# So they were not blind. With rare classes all of them learn in the end, and a difference between softmax once and
# twice can no longer be shown. With fifty images most of them learn, but a smaller gap beyond chance remains. Of the
# runs that stay behind, one was still improving when the limit of 500 epochs ended it. Ten epochs without a new best
# are a long time with 2,000 images. They are a short time with fifty images, where an epoch has only two steps. A
# misfit that makes the start slower costs whole classes where the stopping rule is strict, and less where it is
# generous. Neither the loss nor the rule alone did most of the harm: another rule removes most of it, and the fitting
# loss hardly needs another rule. (Softmax once gains from more patience, too. We had expected less than a percentage
# point. With fifty images it was more.)

# %%
found = claims.verdict_of("000-new-data")
Markdown(f"**{found.signed}.** {found.evidence}")

# %% [markdown]
# What have we shown? One misfit of three has a cost, on two kinds of training data; with rare classes only under one
# stopping rule. On turned or noisy images and on other people's digits we showed no cost in accuracy. (On other
# people's digits the probabilities of softmax twice stand to the right of zero. That is one interval among dozens, and
# nobody has tested it again.) This course does not know what would happen with other networks and other data.
#
# So far we have used one learning rate and one stopping rule; many others are possible. The next figure changes both,
# with 2,000 balanced images: three learning rates, and three ways to end the same training. (Never compare losses by
# their *best validation accuracy*. It is a maximum, and a training with more epochs has more chances to reach a high
# one.)

# %%
new_data.setting_differences()

# %%
new_data.settings_sentence()

# %% [markdown]
# Where all intervals stay inside the band, neither the learning rate nor the stopping rule matters *on these data*. You
# have just seen data on which the rule decides most of the outcome.

# %% [markdown]
# ## 10. Slow here, forgiving there: one cause?
#
# Part 9 left two questions about softmax twice. Why is it slow where images are few or classes rare? (Notebooks 06 and
# 11 named a suspect: the first softmax, whose gradient fades.) And why did it stand to the *right* of zero with wrong
# labels? A look at the values of this loss may answer both. `nn.CrossEntropyLoss` takes the logarithm of a sum of
# exponentials and subtracts the entry of the right class. Fed with probabilities, that entry is the probability `q` of
# the right class, and the first term hardly moves:

# %%
surest, vaguest = torch.eye(10, dtype=torch.float64)[0], torch.full((10,), 0.1, dtype=torch.float64)
least, most = vaguest.logsumexp(0), surest.logsumexp(0)
assert most - least < 0.06
print(f"loss of softmax twice, ten classes: something between {least:.2f} and {most:.2f}, less q")

# %% [markdown]
# A constant minus `q` is a straight line. The absolute error behind softmax *is* a straight line: averaged over ten
# outputs it is `0.2 * (1 - q)`. So softmax twice is nearly the absolute error. They differ by a factor, which changes
# only the scale, by a constant, and by a small bend. The figure shows both, with two other losses beside them. All are
# scaled so that only their shapes differ.

# %%
show(new_data.charges_figure())

# %% [markdown]
# **Forgiving.** In the right panel many labels are drawn at random, and an open mark shows where each line is lowest.
# For cross-entropy and the squared error the lowest point is at *doubt*, a probability below 1. That is the honest
# answer about such labels ([notebook 05](05_matching_loss_to_task.ipynb)), but we test on clean labels. Add up the
# absolute error for all ten possible labels: the sum is always the same. For softmax twice it is nearly the same. So
# labels that are drawn evenly make such a line flatter but do not bend it, and it is still lowest at certainty. (Ghosh,
# Kumar and Sastry proved in 2017 that losses with such a sum forgive evenly drawn labels; see the
# [references](../docs/references.md).) A network that is only in doubt still gives the right answer, because the right
# class may still have the largest of the ten probabilities. It loses right answers where wrong labels also pull it off
# the right class. Where the network is nearly sure of the right class, a wrong label pulls with full strength under
# cross-entropy and hardly at all on a straight line. The squared error is a control. It is lowest at the same doubt,
# and in the large figure its marks for wrong labels lie near zero. So doubt alone is not the reason.
#
# **Slow.** How strongly does a loss pull a network out of a confident mistake? Let the right class have a probability
# of 0.0001 and one wrong class a probability of 0.99. The table shows how each loss pulls at both logits:

# %%
slopes = new_data.slopes(right=0.0001, winner=0.99)
lines = [f"| {name} | {right:+.4f} | {winner:+.4f} |" for name, (right, winner) in slopes.items()]
head = ["| loss | slope by the logit of the right class | by that of the wrong winner |", "|---|---|---|"]
Markdown("\n".join([*head, *lines]))

# %% [markdown]
# Cross-entropy pulls with full strength. The squared error hardly lifts the right class, but it still pushes the wrong
# winner down. The straight losses hardly do either, the absolute error least of all. (Zhang and Sabuncu found in 2018
# how slowly it trains.)
#
# All this fits what we saw, but so did the explanation with the blind networks. If it is the reason, then MAE behind
# softmax, a pairing with only one softmax, must behave like softmax twice: better with wrong labels, worse with few
# images and with rare classes. We wrote that down and then trained the networks. For wrong labels we used seeds that
# nobody had looked at. For few images and rare classes we used those of part 9, where only the absolute error was new.

# %%
new_data.wrong_labels_question()

# %%
new_data.straight_differences()

# %% [markdown]
# (The lower marks of softmax twice are those of part 9.) Here are the numbers, with p values corrected for testing
# several rows together:

# %%
new_data.straight_sentences()

# %% [markdown]
# Every expectation was right in direction. In size the two losses differ. The next lines give the absolute error minus
# softmax twice, seed by seed (not corrected, because we had no expectation here):

# %%
new_data.absolute_less_twice_sentences()

# %% [markdown]
# With fifty images the absolute error falls behind softmax twice as well. *Nearly straight* describes the values of the
# loss, not its pull. Where a network is sure and wrong, the small bend of softmax twice pulls many times as strongly as
# the straight line, as the table shows. So the prediction supports the explanation. It does not prove that nothing else
# plays a part.
#
# So a misfit need not be a worse choice. It is another choice, made without knowing it: here a slow start, and in
# return some protection from wrong labels. If you want that, you can have it on purpose, with MAE behind softmax.
#
# We did not try whether more patience also helps MAE over its slow start. Nor did we try labels that are wrong in a
# pattern (a 4 taken for a 9), other networks, or other data.
#
# ## 11. Ten questions, again
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
# - A misfit that accuracy does not show on the data at hand can lose whole classes on other data. Test what a search
#   finds again, alone, on fresh seeds, and test the obvious explanation, too. Here the reason was not the loss alone
#   but the loss and the stopping rule together.
# - An explanation earns trust by a prediction that could have failed. *Softmax twice is nearly the absolute error* made
#   one about another loss. The prediction was right in direction. The sizes differ, so the explanation is not yet
#   complete.
# - What nobody ran is marked as not tested. If one of those claims matters to you, run it: the rows and claims are
#   plain text files, and `make results` goes on where it stopped.
#
# **Where to go from here:** back to the map in [00 Start here](00_start_here.ipynb), or to your own model in
# [13 Is it learning?](13_is_it_learning.ipynb).
