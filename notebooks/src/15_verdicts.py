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
# - tell, for each claim of the five documents, whether it holds, and name the evidence;
# - tell "we found no difference" from "we showed that there is none";
# - recognise an explanation that sounds right and is not;
# - say what this course does *not* know, above all about new data.
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
# Everything here comes from stored results and from computations that take a second; nothing is trained. Results
# say whose they are.

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
# The documents were written by people who learn and share what they learn, and who did the hard part: they ran the
# experiments and wrote down what they saw. A claim is listed here if something could show it to be false. Each one
# stands in a file with its section and with the name of a test, and the test computes one of five verdicts.

# %%
Markdown("\n".join(f"- **{claims.SIGNS[name]} {name}:** {meaning}." for name, meaning in claims.VERDICTS.items()))

# %% [markdown]
# Two things were declared before anybody looked. **Practically equal** means: the whole 95 % interval of the paired
# difference lies within half a percentage point of accuracy, or within 0.01 of mean squared error. And a verdict
# needs at least six seeds. The next cell shows why: with five, even five differences that all point the same way
# could not convince.

# %%
smallest = {n: st.sign_flip_p([1.0] * n) for n in (3, 5, 6, 10)}
assert smallest[5] > 0.05 > smallest[6]
smallest

# %% [markdown]
# These are the smallest p values that a sign-flip test can reach with so many paired seeds. Three seeds are an
# illustration, ten are a table.
#
# **Exercise 1.** What is the smallest two-sided p with eight paired seeds? Each seed's difference may keep its sign
# or flip it, and all patterns are equally likely if there is no effect.

# %%
smallest_p = ...

# %% tags=["solution"]
smallest_p = 2 / 2**8

# %% [markdown]
# The next cell looks at your answer and says what it thinks of it.

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
# And this is the count, verdict by verdict.

# %%
assert share > 0.5  # "most sentences are right", says the text below
lesson.summary_sentence(judged)

# %% [markdown]
# The figure splits them by document. Its white bars wait for a test; they are not a polite word for "wrong".

# %%
show(result_figures.verdict_bars(claims.counts(judged)))

# %% [markdown]
# Leave the white bars aside and compare the rest: of the sentences that were tested, most are right. The refuted
# ones are fewer, and they are worth more than the others, because each is a mistake that careful people make. (Do not
# read too much into the share: it depends on how sentences are cut into claims. Some stand in two documents, and those
# that begin with "…" are consequences that we drew.) All of them can be browsed at the end of part 8.

# %% [markdown]
# ## 3. The vote of the first notebook
#
# Two scripts, one word of difference; one learnt, the other guessed. You were asked why. Here is every answer of
# that vote with what was measured.

# %%
lesson.vote_answer()

# %% [markdown]
# A good explanation must survive its own test: keep what it blames, and see whether the harm goes away by other means.
# The first three answers blame something that is still there in networks that learn. What differs is the start: at 0.5
# nine outputs of ten are too high for every image, so on balance all images push the hidden layer the same way, into a
# corner from which no gradient leads back. [Notebook 11](11_multi_class.ipynb) shows that happening, and switches it
# off and on.
#
# ## 4. Explanations that sound right
#
# ### "The output is at most 1"
#
# Document 000 explains the huge error of `nn.BCEWithLogitsLoss` on regression: its sigmoid keeps the output at 1 or
# below, so the error cannot shrink. Look at the figure and decide whether that can be.

# %%
show(lesson.bound_figure())

# %% [markdown]
# The grey band holds all outputs that a sigmoid allows. The curve is the error if every image got that output; inside
# the band it stays far below the published line. The diamonds are our own runs of this row, at the mean of their
# outputs: look on which side of the band they stood at their best epoch.

# %%
lesson.verdict_on("000-at-most-one")

# %% [markdown]
# The published figure itself refutes the explanation; no run of ours was needed. It is a good habit to ask of every
# explanation what the *worst* case would be if it were true.
#
# ### "Softmax cannot learn several labels properly"

# %%
lesson.cut_question()

# %% [markdown]
# A network with softmax must share 1 among all labels that are true. Two true labels get a half each, and a half is
# just where the answer flips. The network may know the answer and still be read wrongly.

# %%
show(lesson.cut_figure())

# %% [markdown]
# Squares are read at 0.5, circles at a cut that was chosen on validation images. Each pair of marks is the *same*
# network. Where both stand together the cut did not matter; where they stand apart the damage was in the reading.
# What is still missing between a circle and the sigmoids is real; [notebook 12](12_multi_label.ipynb) says where most
# of it comes from. So "cannot be learnt" is wrong for one loss and not shown for the other, and one thing stays true:
# as probabilities of the labels such outputs are wrong whatever the cut, for they add up to 1.
#
# ### "Accuracy is enough, because the classes are balanced"

# %%
lesson.verdict_on("000-accuracy-enough")

# %% [markdown]
# The digits are balanced, and that part is right: imbalance does not forbid accuracy here. But whether accuracy is
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
# With the label as `a` and the prediction as `b`, label less prediction is the gradient with the opposite sign. The
# comment beside the call has it right: prediction less label. (Not all of the calling code is shown; perhaps it swaps
# the two for one of the functions.) Such a slip does not crash; a check against autograd, as in [notebook
# 03](03_losses_from_scratch.ipynb), finds it in a second.

# %%
refuted = lesson.chosen(judged, "003", "refuted")
assert "003-order" in {one.claim.id for one in refuted}
claims.claims_table(refuted)

# %% [markdown]
# Document 004 describes three loss functions parameter by parameter, and what it says of the parameters is nearly all
# right. These sentences are not:

# %%
refuted = lesson.chosen(judged, "004", "refuted")
assert {"004-takes-probabilities", "004-z", "004-unstable"} <= {one.claim.id for one in refuted}
claims.claims_table(refuted)

# %% [markdown]
# The sentence about probabilities as input is the most expensive one in practice. Who believes it writes softmax
# before `nn.CrossEntropyLoss`, and nothing complains. [Notebook 06](06_bce_and_logits.ipynb) shows what it costs.
#
# ## 6. "No difference" and "not shown"
#
# Document 000 finds in several places that there is no large difference (큰 차이는 없다). That is a claim, and a
# stronger one than it looks: to show it, one needs an interval that is *narrow*, not only one that contains zero.

# %%
lesson.verdict_on("000-binary-equal")

# %% [markdown]
# The same rows as a figure. Here each is compared with the pairing that fits by the rules of this course,
# cross-entropy on logits, while the claim compares with the document's own recommendation.

# %%
show(result_figures.differences(tables.summary("binary", "loss")))

# %% [markdown]
# The grey band is what we agreed to call practically equal. An interval inside it shows equality, one wholly outside
# a difference that matters. One that sticks out leaves that question open: it may exclude zero, and so show a
# difference (*better* or *worse* in our tables), without telling whether the difference matters.
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
# Your function is compared with ours on six intervals, one of them from the mistake that is made most often.

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
# Document 000 suspects, in its section 3-2, that MSE, MAE and RMSE do slightly better without an output activation,
# and asks for more experiments. That is how a good report ends. Here they are.

# %%
lesson.verdict_on("000-no-activation")

# %% [markdown]
# And every run behind that answer:

# %%
show(result_figures.dots_and_intervals(tables.summary("probability", "loss")))

# %% [markdown]
# Compare the rows in pairs, with and without a sigmoid, and look at the spread of the single dots. Where the dots of
# two rows overlap, one run each, as published, could have come out in another order; where they do not, hardly.
#
# ## 8. Our own verdicts
#
# The course also makes claims: every pairing carries a verdict (`lm.Pairing(...).verdict`). They were written down
# before the runs and corrected where runs contradicted them: raw regression targets, for one, turned out to collapse,
# and MAE behind a single sigmoid to lose a run now and then. So it is only fair to hold them against the results
# again. (Those seeds are among them, which makes this test a little kind to us.)

# %%
found = contradictions()
Markdown("\n".join(f"- {line}" for line in found) or "No verdict of ours is contradicted by the stored runs so far.")

# %% [markdown]
# We are measured as the documents are: a *recommended* row falls if another row of its task is ahead by more than half
# a point beyond doubt. On one probability that is so. *Recommended* says that loss, activation and task mean the same
# thing; it does not say that nothing scores higher, and here it should not be read so.

# %% [markdown]
# A harder test is the rest of the grids in notebooks 08 to 12: pairings that no document ran, and whose verdicts we had
# written down before a single one of them was trained.

# %%
lesson.forecast_table()

# %% [markdown]
# How many came out as we had said, and which did not:

# %%
lesson.forecast_misses()

# %% [markdown]
# A *handicapped* pairing learns less than it could, or not at all; it counts as a miss where every run does learn its
# task. Nobody should be proud of the easy ones: that a loss which refuses its inputs stops with an error needs no
# experiment. The misses teach more. (These are few seeds, enough to see a pairing learn or fail, too few to prove two
# of them equal.)
#
# And here are all claims of the documents, to be walked through with two menus:

# %%
lesson.browser(judged)

# %% [markdown]
# ## 9. Does misuse cost more on new data?
#
# The strongest sentence of document 000 stands at its beginning: a loss that does not fit may do well on the data at
# hand and *markedly worse on new data*. The document never tests it. It is the right question: all the rows that
# look equal on MNIST might part elsewhere. "Elsewhere" here means fewer training images, wrong labels, rare classes,
# test images that were turned or made noisy, and digits drawn by other people, with fresh seeds.

# %%
new_data.furthest_question()

# %% [markdown]
# Now the measurement:

# %%
new_data.all_differences()

# %% [markdown]
# Each mark is a misfit less cross-entropy on logits under the same condition, seed by seed, with its interval. Mind the
# scales of the first two panels: linear in the middle, logarithmic outside. Read the left panel as in part 6: an
# interval inside the grey band shows equality, one wholly left of it a price in accuracy that matters, and one that
# sticks out leaves the question open. The middle panel asks for the price in probabilities (right of zero is worse),
# the last one for the price in epochs; there, fewer epochs are no gain where a run was ended early because it got
# nowhere, so read it beside the first. Test images that were turned, made noisy or drawn by other people are shown to
# networks trained on clean ones, so there is no training to count there. (Where few images or wrong labels are the
# condition, only the training part is touched: the 3,000 validation images, which say when to stop, stay clean.)
#
# One misfit stands out, far on the left. But it was found by looking at dozens of intervals at once, and with six seeds
# such a search can prove next to nothing. (The other side has its candidates, too: with wrong labels the same misfit
# did better than the fitting pairing; part 10 puts that again.) What a search finds is a question, not an answer. So
# the loss was put again, alone, on seeds that nobody had looked at, with the expectation written down first:

# %%
show(new_data.confirmation_figure())

# %% [markdown]
# The top row is the data at hand, where the two are practically equal. In numbers, for the other two:

# %%
new_data.confirmation_sentences()

# %%
common = (tested_digits("mnist") < 5).float().mean().item()
Markdown(f"The five common digits make up **{common:.1%}** of the test images.")

# %% [markdown]
# A run that ends there gets hardly any of the rare digits right; compare the crosses above. Two explanations sound
# right. Either these networks are *blind*: the first softmax fades where it is sure, a network that has learnt to say
# no to the rare classes is sure of it, and no gradient is left to change its mind. Or they are *slow*: the loss is flat
# for a while, and early stopping, with a patience of 10 epochs as in the documents, ended them before they got away.
# Part 3 told how to decide between explanations. The same networks were trained again from the same seeds, and only
# the patience was changed.

# %%
new_data.patience_question()

# %%
show(new_data.confirmation_figure(patience=True))

# %% [markdown]
# The same as differences to softmax once, seed by seed:

# %%
new_data.confirmation_sentences("patience")

# %% [markdown]
# So they were not blind. With rare classes all of them come through, and a difference between softmax once and twice
# can no longer be shown. With fifty images most of them do, a smaller gap remains beyond chance, and of the runs that
# stay behind one was still improving when the limit of 500 epochs ended it. Ten epochs without a new best are a long
# time with 2,000 images and a short one with fifty: there an epoch has two steps. A misfit that makes the start slower
# costs whole classes where the rule of stopping is strict, and less where it is generous. Neither alone did most of the
# harm: another rule takes most of it away, and the fitting loss hardly needs one. (Softmax once gains by more patience,
# too. We had written down: less than a point. With fifty images it was more.)

# %%
found = claims.verdict_of("000-new-data")
Markdown(f"**{found.signed}.** {found.evidence}")

# %% [markdown]
# What was shown: a price of one misfit of three, on two kinds of training data; with rare classes under one rule of
# stopping only. On turned or noisy images and on other people's digits no price in accuracy was shown. (In
# probabilities softmax twice stands right of zero on other people's digits: one interval among dozens, a question that
# nobody has put again.) What this course does not know: what other networks and other data would make of it.
#
# One learning rate and one rule of stopping are one point each of a large space. The next figure moves both, with 2,000
# balanced images: three learning rates, and three ways to end one and the same training. (Never compare losses by their
# *best validation accuracy*: it is a maximum, and whoever trains for more epochs draws more often.)

# %%
new_data.setting_differences()

# %%
new_data.settings_sentence()

# %% [markdown]
# Where all intervals stay inside the band, neither the learning rate nor the rule of stopping decides anything *on
# these data*. You have just seen data on which the rule decides most of it.

# %% [markdown]
# ## 10. Slow here, forgiving there: one cause?
#
# Part 9 left two questions about softmax twice. Why is it slow where images are few or classes rare? (Notebooks 06 and
# 11 named a suspect, the first softmax that fades.) And why did it stand to the *right* of zero with wrong labels? One
# look at what it charges may answer both. `nn.CrossEntropyLoss` takes the logarithm of a sum of exponentials and
# subtracts the entry of the right class. Fed with probabilities, that entry is the probability `q` of the right class,
# and the first term hardly moves:

# %%
surest, vaguest = torch.eye(10, dtype=torch.float64)[0], torch.full((10,), 0.1, dtype=torch.float64)
least, most = vaguest.logsumexp(0), surest.logsumexp(0)
assert most - least < 0.06
print(f"loss of softmax twice, ten classes: something between {least:.2f} and {most:.2f}, less q")

# %% [markdown]
# A number less `q` is a straight line. The absolute error behind softmax *is* one: averaged over ten outputs it is
# `0.2 * (1 - q)`. So softmax twice is, but for a factor, a constant and a small bend, the absolute error. Here both
# are, with two losses to compare; all are scaled so that only their shape differs.

# %%
show(new_data.charges_figure())

# %% [markdown]
# **Forgiving.** On the right many labels are drawn at random, and an open mark shows where each line is lowest. For
# cross-entropy and the squared error it lies at *doubt*, the honest answer about such labels
# ([notebook 05](05_matching_loss_to_task.ipynb)); but we test on clean ones. What the absolute error charges for all
# ten labels together is always the same, for softmax twice nearly so. Labels drawn evenly therefore make such a line
# flatter without bending it, and it is still lowest at certainty. (Ghosh, Kumar and Sastry proved in 2017 that losses
# with such a sum forgive evenly drawn labels; see the [references](../docs/references.md).) Doubt alone costs no right
# answer, since the right class may still be the largest of ten. It does so where wrong labels also pull a network off
# the right class; and where that class is nearly sure, a wrong label pulls with full strength under cross-entropy and
# hardly at all on a straight line. The squared error is a control: lowest at the same doubt, and in the large figure
# its marks for wrong labels lie near zero. So it is not the doubt alone.
#
# **Slow.** How strongly does a loss pull a network out of a confident mistake? Let the right class have a probability
# of 0.0001 and one wrong class 0.99. Each loss pulls at both logits:

# %%
slopes = new_data.slopes(right=0.0001, winner=0.99)
lines = [f"| {name} | {right:+.4f} | {winner:+.4f} |" for name, (right, winner) in slopes.items()]
head = ["| loss | slope by the logit of the right class | by that of the wrong winner |", "|---|---|---|"]
Markdown("\n".join([*head, *lines]))

# %% [markdown]
# Cross-entropy pulls with full strength. The squared error hardly lifts the right class, but it still pushes the wrong
# winner down. The straight losses hardly do either, the absolute error least of all. (How slowly it trains, Zhang and
# Sabuncu found in 2018.)
#
# All that fits what we saw; but so did the blind networks. If it is the reason, then MAE behind softmax, an innocent
# pairing with a single softmax, must do as softmax twice does: better with wrong labels, behind with few images and
# with rare classes. That was written down and then trained: with wrong labels on seeds that nobody had looked at, with
# few images and rare classes on those of part 9, where only the absolute error was new.

# %%
new_data.wrong_labels_question()

# %%
new_data.straight_differences()

# %% [markdown]
# (The lower marks of softmax twice are those of part 9.) In numbers, judged together:

# %%
new_data.straight_sentences()

# %% [markdown]
# Every expectation came out, in direction. In size the two losses differ; this is the absolute error less softmax
# twice, seed by seed (not corrected, for nobody had expected anything here):

# %%
new_data.absolute_less_twice_sentences()

# %% [markdown]
# With fifty images the absolute error falls behind softmax twice as well. *Nearly straight* holds for what is charged;
# where a network is sure and wrong, the small bend that softmax twice has left is many times the slope of the straight
# line, as the table shows. So the prediction supports the explanation. It does not prove that nothing else plays a
# part.
#
# A misfit, then, need not be a worse choice. It is another choice, made without knowing it: here a slow start, and in
# return some protection from wrong labels. Whoever wants that can have it on purpose, with MAE behind softmax.
#
# What was not tried: whether more patience helps MAE over its slow start as well, labels that are wrong in a pattern (a
# 4 taken for a 9), other networks, other data.
#
# ## 11. Ten questions, again
#
# The same ten questions as in [notebook 00](00_start_here.ipynb). This time the answers come with them, and with a
# comparison: what you know now, and how well you judge what you know.

# %%
ten_questions.after()

# %% [markdown]
# A wrong answer given with confidence is the one worth an evening: follow its pointer.
#
# ## Summary
#
# - Of the sentences that were tested so far, most hold. The mistakes are fewer, and each is instructive.
# - An explanation is tested by keeping what it blames and removing the harm, or by asking what its worst case would be.
# - "Not shown" is not "equal", and "equal" must be shown with a narrow interval.
# - Whether accuracy is enough is a claim like any other: ask the probabilities and the epochs, too.
# - A misfit that accuracy does not show on the data at hand can lose whole classes on other data. What a search brings
#   up is put again, alone, on fresh seeds; and the explanation that suggests itself is tested, too: here it was not the
#   loss alone but the loss and the rule of stopping together.
# - An explanation earns trust by a prediction that could have failed. *Softmax twice is nearly the absolute error* made
#   one about another loss. It came out in direction; where the sizes differ, the explanation is not yet complete.
# - What nobody ran is marked as not tested. If one of those claims matters to you, run it: the rows and claims are
#   plain text files, and `make results` goes on where it stopped.
#
# **Where to go from here:** back to the map in [00 Start here](00_start_here.ipynb), or to your own model in
# [13 Is it learning?](13_is_it_learning.ipynb).
