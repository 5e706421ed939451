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
# # 11 Multi-class classification: one word of difference
#
# After this notebook you can
#
# - say which losses and output activations really cost accuracy with ten classes, and which only seem to cost it;
# - explain what one changed word does to the first steps of a training, and test the explanation by switching the
#   effect off and on;
# - distinguish softmax applied twice from softmax applied once, although their accuracy looks alike;
# - repair a collapsed network in three different ways.
#
# **Time:** 45 minutes, in two halves (parts 1 to 4, then 5 to 8)
#
# **Covers:** document 000, section 3-4 with section 1-3; document 001, section 3-4 with section 1-2
#
# **Before this one:** [10 Binary classification](10_binary.ipynb)

# %% [markdown] tags=["lang-ko"] english="a5ec4cb6"
# # 11 다중 클래스 분류: 단어 하나의 차이
#
# 이 노트북을 마치면 다음을 할 수 있습니다.
#
# - 클래스가 열 개일 때 어떤 손실 함수(loss function)와 출력층 활성화 함수(output activation)가 정말로 정확도를
#   떨어뜨리고, 어떤 것은 그래 보이기만 하는지 말할 수 있습니다.
# - 단어 하나를 바꾸면 학습의 첫 갱신들이 어떻게 달라지는지 설명하고, 그 효과를 껐다 켜서 확인할 수 있습니다.
# - 정확도는 비슷해 보여도, 소프트맥스(softmax)를 두 번 적용한 것과 한 번 적용한 것을 구별할 수 있습니다.
# - 붕괴(collapse)한 신경망을 서로 다른 세 가지 방법으로 고칠 수 있습니다.
#
# **시간:** 45분, 전반(1~4부)과 후반(5~8부)으로 나뉩니다.
#
# **범위:** 문서 000의 3-4절과 1-3절, 문서 001의 3-4절과 1-2절
#
# **바로 앞 노트북:** [10 이진 분류](10_binary.ipynb)
#
# > 이 노트북은 한국어판입니다. 설명은 모두 한국어이고 코드는 [영어판](../11_multi_class.ipynb)과 똑같습니다.
# > 위젯, 표, 그림에는 영어가 나오므로, 예측 질문과 보기는 바로 위 셀에 우리말로 옮겨 두었습니다. 한국어판이 아직
# > 없는 노트북으로 가는 링크는 영어판으로 이어집니다.

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# This notebook uses two data sets. **Stored results** come from MNIST; they ship with the course and appear at once.
# **Live cells** train on the data named in the next line. Every table says which is which.

# %% [markdown] tags=["lang-ko"] english="5a3e4de8"
# 이 노트북에는 데이터셋이 두 가지 나옵니다. **저장된 결과**는 MNIST로 얻은 것으로, 강의에 들어 있어서 바로
# 나타납니다. **직접 학습하는 셀**은 다음 줄에 적힌 데이터로 그 자리에서 학습합니다. 어느 쪽인지는 표마다 적혀 있습니다.

# %%
import math

import torch
from IPython.display import Markdown, display

import lm_utils as lm
from lm_utils.evidence import changed_conditions, tables
from lm_utils.evidence.results import reference, tested_digits
from lm_utils.evidence.sentences import comparison_sentence, published_sentences, sentence
from lm_utils.lessons import multi_class as lesson
from lm_utils.show import condition_figures, output_figures, quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.style import show

banner(data, device)

# %% [markdown]
# ## 1. Predict first
#
# [Notebook 00](00_start_here.ipynb) opened with two scripts that differ in one word. One ends with softmax, the other
# with a sigmoid per class; everything else is equal. Write your guess down before you scroll.

# %% [markdown] tags=["lang-ko"] english="516ff750"
# ## 1. 먼저 예측해 보세요
#
# [노트북 00](00_start_here.ipynb)의 첫머리에서 한 단어만 다른 두 스크립트를 보았습니다. 하나는 소프트맥스로
# 끝나고, 다른 하나는 클래스마다 시그모이드를 하나씩 씁니다. 나머지는 모두 같습니다. 아래로 내려가기 전에 여러분의
# 예상을 적어 두세요.
#
# > **먼저 예측해 보세요.** 클래스가 열 개이고, 손실 함수는 평균 제곱 오차(mean squared error, MSE)이며, 출력마다
# > 시그모이드를 씁니다. 테스트 정확도(accuracy)는 얼마일까요?
# >
# > - 소프트맥스처럼 약 97 %
# > - 약 85 %
# > - 약 10 %, 늘 똑같은 답만 할 때와 같은 수준

# %%
quiz.predict(
    "Ten classes, mean squared error, a sigmoid on each output. What will the test accuracy be?",
    options=["about 97 %, like softmax", "about 85 %", "about 10 %, as good as one constant answer"],
    answer="about 10 %, as good as one constant answer",
    reading=sentence(lm.Pairing("multiclass", "mse", "sigmoid")),
)

# %% [markdown]
# ## 2. The loss table of document 000, measured again
#
# The document trained each row once. Here each row is trained with several seeds. A seed fixes the split, the starting
# weights and the order of the batches for *all* rows, so we can compare rows pair by pair.

# %% [markdown] tags=["lang-ko"] english="b76ba73a"
# ## 2. 문서 000의 손실 함수 표를 다시 재 봅니다
#
# 문서는 각 행을 한 번씩만 학습했습니다. 여기서는 각 행을 여러 시드(seed)로 학습합니다. 시드 하나가 데이터 분할,
# 가중치의 초깃값, 배치(batch)의 순서를 *모든* 행에 똑같이 정하므로 두 행을 짝지어 비교할 수 있습니다.

# %%
losses = tables.summary("multiclass", "loss")
tables.readable(losses)

# %% [markdown]
# Compare the column *published* with *ours*: are the figures of the document within the range of our seeds? The
# networks with sigmoid do not learn slowly. They give one constant answer for all ten thousand images. Which answer?
# Compare their accuracy with the shares of the digits.

# %% [markdown] tags=["lang-ko"] english="a37aa384"
# *published* 열(문서에 실린 값)과 *ours* 열(우리가 잰 값)을 견주어 보세요. 문서의 수치가 우리 시드들의 범위 안에
# 들어오나요? 시그모이드가 있는 행은 느리게 배우는 것이 아닙니다. 이미지 만 장에 늘 똑같은 답 하나를 내놓습니다. 어떤
# 답일까요? 그 정확도를 숫자마다의 비율과 견주어 보세요.

# %%
shares = torch.bincount(tested_digits("mnist"), minlength=10) / 10_000
assert round(shares[3].item(), 4) == 0.1010 and round(shares[1].item(), 4) == 0.1135
{digit: f"{share:.2%}" for digit, share in enumerate(shares.tolist())}

# %% [markdown]
# The two published figures are the shares of the threes (10.10 %) and of the ones (11.35 %). They are two different
# constant answers, and both are equally empty. A collapsed network tends to settle on a digit that is common among the
# training and validation images. The most common digit is the 1.

# %% [markdown] tags=["lang-ko"] english="4a1df297"
# 문서에 실린 두 수치는 3의 비율(10.10 %)과 1의 비율(11.35 %)입니다. 서로 다른 상수 답이지만 내용이 없기는
# 마찬가지입니다. 붕괴한 신경망은 학습·검증 이미지에 많이 들어 있는 숫자에 자리 잡기 쉽습니다. 가장 많은 숫자는 1입니다.

# %% [markdown]
# How close are the other published figures to our means?

# %% [markdown] tags=["lang-ko"] english="90479219"
# 문서에 실린 나머지 수치는 우리 평균에 얼마나 가까울까요?

# %%
Markdown(published_sentences("multiclass"))

# %% [markdown]
# Those were the document's figures and ours. **What are yours?** `make run-all` trains the same rows on your machine,
# with the data and the number of seeds that you choose. If you have run it, your results appear here. They are never
# mixed with the stored ones. Results on the embedded digits cannot be compared with results on MNIST.

# %% [markdown] tags=["lang-ko"] english="d6df0e61"
# 문서의 수치와 우리의 수치는 여기까지입니다. **그러면 여러분의 수치는 어떨까요?** `make run-all`은 같은 행을 여러분의
# 컴퓨터에서(고른 데이터와 시드 수로) 학습합니다. 그 결과가 있으면 아래에 나옵니다. 저장된 결과와 섞이는 일은 없고,
# 내장된 숫자 이미지로 얻은 값은 서로 비교할 수도 없습니다.

# %%
tables.own_table("multiclass", seeds, data, device)

# %% [markdown]
# The stored table again, as a picture:

# %% [markdown] tags=["lang-ko"] english="25085744"
# 저장된 표를 그림으로 다시 봅니다.

# %%
show(result_figures.dots_and_intervals(losses))

# %% [markdown]
# Every dot is one seed. The rows on the right are so close together that one run each, as in the document, cannot rank
# them. The rows on the left stand where a constant answer stands. There is almost nothing in between: **this misfit
# does not make a network a little worse, it switches it off.**
#
# How close is close? Here are the differences to cross-entropy on logits, seed by seed.

# %% [markdown] tags=["lang-ko"] english="a9a7138f"
# 점 하나가 시드 하나입니다. 오른쪽에 있는 행들은 서로 너무 가까워서, 문서처럼 한 번씩만 돌려서는 순위를 매길 수
# 없습니다. 왼쪽에 있는 행들은 상수 답이 있는 자리에 서 있습니다. 그 사이에는 거의 아무것도
# 없습니다. **이 어긋난 조합은 신경망을 조금 나쁘게 만드는 것이 아니라 아예 꺼 버립니다.**
#
# 가깝다는 것은 얼마나 가까운 것일까요? 로짓(logit)에 바로 쓴 교차 엔트로피(cross-entropy)와의 차이를 시드마다
# 구했습니다.

# %%
show(result_figures.differences(losses))

# %% [markdown]
# The grey band reaches half a percentage point to either side. We decided to call differences inside it practically
# equal before we looked at any result. An interval inside the band shows equality. *Better* and *worse* mean a
# difference beyond chance, and only an interval wholly outside the band shows that it matters. Anything else is
# *undecided*. With fewer than six seeds a row says "illustration" and gets no verdict. All intervals are about other
# seeds, not about another test set.
#
# The first row needs a second look. The document calls it "Categorical Cross-Entropy (with Softmax)" and recommends it.
# Its code passed *softmax outputs* to `nn.CrossEntropyLoss`, and that loss applies softmax itself. So softmax was
# applied twice.

# %% [markdown] tags=["lang-ko"] english="aea2fa63"
# 회색 띠(양쪽으로 0.5퍼센트포인트)는 결과를 보기 전에 "사실상 같다"고 정해 둔 범위입니다. 구간(interval)이 그 안에
# 들면 같다는 뜻입니다. *better*와 *worse*는 우연으로 보기 어려운 차이가 있다는 뜻이고, 그 차이가 중요하다는 것은
# 구간이 띠를 완전히 벗어날 때만 알 수 있습니다. 나머지는 *undecided*(알 수 없음)입니다. 시드가 여섯 개보다 적은 행은
# "illustration"(예시)이라고 적히고 판정을 받지 않습니다. 모든 구간은 다른 시드에 관한 것이지 다른 테스트 데이터에
# 관한 것이 아닙니다.
#
# 첫 행은 다시 볼 필요가 있습니다. 문서는 이 행을 "Categorical Cross-Entropy (with Softmax)"라고 부르며
# 권장합니다. 그런데 문서의 코드는 *소프트맥스의 출력*을 `nn.CrossEntropyLoss`에 넘겼고, 이 손실 함수는
# 소프트맥스를 스스로 적용합니다. 소프트맥스를 두 번 쓴 것입니다.

# %%
twin, twice = lm.Pairing("multiclass", "cross_entropy"), lm.Pairing("multiclass", "cross_entropy", "softmax")
for pairing in (twice, twin):
    display(Markdown(sentence(pairing)))
Markdown(comparison_sentence(twice, twin))

# %% [markdown]
# On these data, accuracy hardly shows the mistake. (On other data it may cost far more: [notebook
# 16](16_on_new_data.ipynb) asks where.) The loss gives it away, because it cannot come near zero.

# %% [markdown] tags=["lang-ko"] english="9817186f"
# 이 데이터에서는 정확도만 보아서는 이 실수를 찾기 어렵습니다. (다른 데이터에서는 훨씬 더 많이 잃을 수 있습니다.
# 어디에서 그런지는 [노트북 16](16_on_new_data.ipynb)에서 묻습니다.) 실수를 드러내는 것은 손실입니다. 0 가까이
# 내려갈 수가 없기 때문입니다.

# %%
z = torch.full((1, 10), -1e4).index_fill(1, torch.tensor([3]), 1e4)  # as sure of class 3 as a network can be
once = torch.nn.CrossEntropyLoss()(z, torch.tensor([3])).item()
twice_floor = torch.nn.CrossEntropyLoss()(torch.softmax(z, 1), torch.tensor([3])).item()
assert once == 0 and math.isclose(twice_floor, math.log(1 + 9 / math.e), rel_tol=1e-6)
print(f"perfect and sure: {once:.4f} with one softmax, {twice_floor:.4f} with two")

# %% [markdown]
# Even a perfect network shows that second number. If you do not know this floor, you will take a healthy training for a
# stuck one. And you cannot compare the losses of the two scripts, because their scales start at different values.

# %% [markdown] tags=["lang-ko"] english="4f81e343"
# 완벽한 신경망도 그 두 번째 숫자를 보입니다. 이 하한(floor)을 모르는 사람은 멀쩡한 학습을 멈춘 학습으로
# 오해합니다. 두 스크립트의 손실을 그대로 비교하는 사람은 영점이 서로 다른 숫자를 비교하는 셈입니다.

# %%
show(output_figures.learning_curves([twin, twice, lm.Pairing("multiclass", "bce", "sigmoid")]))

# %% [markdown]
# The dotted lines show the best constant answer; the dashed line is the floor of softmax twice. The sigmoid network
# reaches the constant answer within an epoch or two and stays there. The accuracy of softmax twice ends as high as that
# of softmax once, but it starts lower. How many epochs do the rows need?

# %% [markdown] tags=["lang-ko"] english="e69ad0d3"
# 점선은 가장 좋은 상수 답이고, 파선은 소프트맥스를 두 번 쓸 때의 하한입니다. 시그모이드 신경망은 한두
# 에포크(epoch) 안에 상수 답에 이르고, 그대로 머뭅니다. 소프트맥스를 두 번 쓴 신경망은 한 번 쓴 신경망만큼 높이
# 올라가지만 더 낮은 곳에서 출발합니다. 행마다 에포크가 몇 번이나 필요할까요?

# %%
show(result_figures.epochs_plot(tables.summary("multiclass", ["loss", "twin"])))

# %% [markdown]
# Compare softmax twice with cross-entropy on logits (softmax once). In the curves above several runs of softmax twice
# stand still for a few epochs before they climb; keep that in mind. Where the first softmax is sure, its gradient
# almost vanishes, so a confident mistake hardly gets corrected. This probably costs training time, which accuracy does
# not show. (Small gradients alone would not matter, because AdamW rescales them.) Collapsed rows have no such epoch at
# all.

# %% [markdown] tags=["lang-ko"] english="2e5e0f11"
# 소프트맥스를 두 번 쓴 행을 로짓에 바로 쓴 교차 엔트로피(소프트맥스 한 번)와 견주어 보세요. 위의 곡선에서
# 소프트맥스를 두 번 쓴 실행 가운데 몇은 몇 에포크 동안 멈춰 있다가 올라갑니다. 이 점을 기억해 두세요. 첫 번째
# 소프트맥스는 확신할수록 기울기(gradient)가 사라져서 확신에 찬 오답이 잘 고쳐지지 않습니다. 정확도에는 드러나지
# 않아도 학습 시간이 더 걸릴 가능성이 있습니다. (기울기가 작기만 한 것은 AdamW가 보정합니다.) 붕괴한 행에는
# 그런 에포크가 아예 없습니다.

# %% [markdown]
# ## 3. The activation table that document 001 left empty
#
# Document 001 planned three rows for this task but published no figures. (Its headings say "highest MSE" for a table of
# accuracies, which is a slip of the pen; we show accuracy.) Here are the figures.

# %% [markdown] tags=["lang-ko"] english="1a05c20b"
# ## 3. 문서 001이 비워 둔 활성화 함수 표
#
# 문서 001은 이 과제에 세 행을 계획했지만 수치는 싣지 않았습니다. (정확도 표의 제목이 "최고 MSE"로 되어 있는데
# 이는 단순한 오기입니다. 여기서는 정확도를 보여 드립니다.) 그 수치가 여기 있습니다.

# %%
activations = tables.summary("multiclass", "activation")
tables.readable(activations)

# %%
show(result_figures.dots_and_intervals(activations))

# %% [markdown]
# Look at the last row before you read on. Its output activation is the *sigmoid*, the one the document warns about, and
# yet this network does learn. So the activation alone is not the reason for the collapse. (Missing competition could
# still be the reason: `nn.CrossEntropyLoss` applies its own softmax, and there the classes compete again. Part 7 comes
# back to this.)

# %% [markdown] tags=["lang-ko"] english="c4cded55"
# 더 읽기 전에 마지막 행을 보세요. 출력층 활성화 함수가 문서가 경고한 바로 그 *시그모이드*인데도 이 신경망은
# 학습합니다. 그러니 활성화 함수만으로는 붕괴가 설명되지 않습니다. (경쟁이 없어서일 가능성은 아직 남아 있습니다.
# `nn.CrossEntropyLoss`는 소프트맥스를 스스로 적용하므로 거기서는 클래스들이 다시 경쟁합니다. 이 문제는 7부에서 다시
# 다룹니다.)
#
# > **먼저 예측해 보세요.** 시그모이드 출력에 nn.BCELoss를 쓰면 붕괴하고, 시그모이드 출력에 nn.CrossEntropyLoss를
# > 쓰면 학습합니다. 무엇이 다를까요?
# >
# > - 출력의 범위
# > - 열 클래스의 기울기(gradient)가 더해지는 방식
# > - 파라미터 수

# %%
quiz.predict(
    "Sigmoid outputs with nn.BCELoss collapse; sigmoid outputs with nn.CrossEntropyLoss learn. What is the difference?",
    options=[
        "the range of the outputs",
        "how the gradients of the ten classes add up",
        "the number of parameters",
    ],
    answer="how the gradients of the ten classes add up",
    reading="The outputs and the network are the same in both. Only the gradient that arrives at them differs; part 5"
    " draws it.",
)

# %% [markdown]
# ## 4. What the outputs look like
#
# Accuracy only asks which output is the largest. A histogram asks more: how large are the outputs for the right class
# and for the nine wrong ones?

# %% [markdown] tags=["lang-ko"] english="d988860a"
# ## 4. 출력은 어떻게 생겼을까요?
#
# 정확도는 어느 출력이 가장 큰지만 묻습니다. 히스토그램은 더 많은 것을 묻습니다. 맞는 클래스의 출력과 틀린 아홉
# 클래스의 출력은 각각 얼마나 클까요?

# %%
show(output_figures.output_histograms([twin, twice, lm.Pairing("multiclass", "mse", "softmax")]))

# %% [markdown]
# All three push the right class towards one and the wrong classes towards zero. They differ in how honest they are
# where they are unsure. A calibration plot shows that.

# %% [markdown] tags=["lang-ko"] english="42cdab6a"
# 셋 모두 맞는 클래스는 1 쪽으로, 틀린 클래스는 0 쪽으로 밀어냅니다. 다른 점은 확신이 없을 때 얼마나
# 솔직한가입니다. 그것을 보여 주는 것이 보정 그림(calibration plot)입니다.

# %%
show(output_figures.calibration([twin, twice, lm.Pairing("multiclass", "mse", "softmax")]))

# %% [markdown]
# A point on the diagonal means: of the images for which the network said "90 % sure", it got 90 % right. Below the
# diagonal a network is too sure of itself, above it too cautious. The calibration error (ECE, in brackets) is the gap
# averaged over all images, and nearly all images are in the last mark on the right. Rows that accuracy cannot tell
# apart may differ here. The next table gives the numbers; for each of them, smaller is better:

# %% [markdown] tags=["lang-ko"] english="c39dbc20"
# 점이 대각선에 정확히 놓이면, 신경망이 "90 % 확신한다"고 말한 이미지 가운데 90 %가 실제로 맞았다는 뜻입니다.
# 대각선보다 아래에 있으면 자신을 너무 믿는 것이고, 대각선보다 위에 있으면 너무 소심한 것입니다. 그 틈을 이미지
# 전체로 평균한 값이 보정 오차(calibration error, 괄호 안의 ECE)입니다. 거의 모든 이미지는 맨
# 오른쪽 점에 들어 있습니다. 정확도로는 구별되지 않는 행들도 여기서는 다를 수 있습니다. 수치로 보면 다음과 같습니다.
# 모두 작을수록 좋습니다.

# %%
tables.probabilities([twin, twice, lm.Pairing("multiclass", "mse", "softmax")])

# %% [markdown]
# [Notebook 09](09_probability.ipynb) explains these three measures. A confusion matrix shows which digits get mixed up.
# Here the collapsed network stands beside a healthy one.

# %% [markdown] tags=["lang-ko"] english="67e05062"
# 이 세 가지 척도의 차이는 [노트북 09](09_probability.ipynb)에서 설명합니다. 어떤 숫자끼리 헷갈리는지는 혼동
# 행렬(confusion matrix)에서 볼 수 있습니다. 붕괴한 신경망을 건강한 신경망 옆에 놓아 보았습니다.

# %%
show(output_figures.confusion([twin, lm.Pairing("multiclass", "bce", "sigmoid")]))

# %% [markdown]
# The healthy network fills the diagonal. The collapsed one fills columns: it gives the same answer for every image.
# (The figure is a mean over seeds; a second column would mean that another seed settled on another digit.)
#
# *This is a good place for a break.*

# %% [markdown] tags=["lang-ko"] english="19e8ba6d"
# 건강한 신경망은 대각선을 채웁니다. 붕괴한 신경망은 세로줄(열, column)을 채웁니다. 어떤 이미지에도 같은 답을 한다는
# 뜻입니다. (그림은 시드들의 평균입니다. 채워진 세로줄이 둘이라면 다른 시드가 다른 숫자에 자리 잡았다는 뜻입니다.)
#
# *여기서 잠시 쉬어 가면 좋습니다.*

# %% [markdown]
# ## 5. Why? Look at the very first step
#
# The document guesses (추정) that sigmoid outputs are independent and therefore do not compete. Here is another
# candidate. A fresh network says about 0.5 for each class. A loss that asks ten separate yes-or-no questions wants nine
# outputs of each image to go down and one to go up. On balance that is a push **down**, by the same amount for every
# image. And averaged over the images, each of the ten outputs is asked to go down.

# %% [markdown] tags=["lang-ko"] english="24381944"
# ## 5. 왜 그럴까요? 첫 갱신을 봅니다
#
# 문서는 시그모이드 출력이 서로 독립이라 경쟁하지 않기 때문이라고 추정합니다(문서에 "추정"이라고 적혀 있습니다).
# 다른 후보도 있습니다. 갓 만든 신경망은 모든 클래스에 대해 약 0.5라고 답합니다.
# 예/아니요 질문 열 개를 따로따로 던지는 손실 함수는 이미지마다 출력 아홉 개는 내려가고 하나는 올라가기를 바랍니다.
# 합치면 모든 이미지에서 똑같은 크기만큼 **아래로** 미는 셈입니다. 이미지 전체로 평균하면 출력 열 개가 저마다 내려가라는
# 요구를 받습니다.

# %%
splits = lm.load_data(data)
candidates = [("bce", "sigmoid"), ("mse", "sigmoid"), ("cross_entropy", "none")]
pushes = [lesson.first_push(lm.Pairing("multiclass", *names), splits) for names in candidates]
show(lesson.first_push_figure(pushes))

# %% [markdown]
# Each bar is the mean over images; above zero means that a step *lowers* this logit. With sigmoids every bar points
# the same way: a **common push**. With cross-entropy on logits (the softmax is inside the loss) the bars cancel,
# because the residual of softmax, predicted minus true, sums to zero over the classes.
#
# The ten outputs read the same 64 hidden units. A push that all outputs share arrives there as one direction, and this
# direction is the same for most images ("images agree" in the figure). AdamW makes it worse: it divides each step by
# the size of past gradients, so a small but steady push becomes a full step. The hidden layer uses a sigmoid. Pushed
# far enough, its units stand at 0 or 1 for *every* image, and then no gradient passes back.

# %% [markdown] tags=["lang-ko"] english="c1c427f0"
# 막대 하나는 이미지 전체의 평균입니다. 시그모이드에서는 모든 막대가 같은 쪽을 가리킵니다. 모든 출력을 함께 미는
# **공통 힘**(common push)입니다. 소프트맥스와 교차 엔트로피(cross-entropy)에서는 막대들이 상쇄됩니다. 소프트맥스의
# 잔차(residual), 곧 예측에서 정답을 뺀 값은 클래스 전체로 더하면 0이 되기 때문입니다.
#
# 출력 열 개는 같은 은닉 유닛(hidden unit) 64개를 읽습니다. 모든 출력이 함께 받는 힘은 거기에 하나의 방향으로
# 도착하고, 그 방향은 대부분의 이미지에서 같습니다(그림의 "images agree"). AdamW는 이를 더 나쁘게 만듭니다. 갱신할
# 때마다 과거 기울기의 크기로 나누기 때문에, 힘이 작아도 방향이 꾸준하면 온전한 크기의 갱신이 됩니다. 은닉층(hidden
# layer)은 시그모이드입니다. 충분히 밀리면 은닉 유닛은 *모든* 이미지에서 0이나 1에 머무는 포화(saturation) 상태가
# 되고, 그러면 뒤로 아무것도 전달되지 않습니다.

# %%
names = ["control", "no-common-push", "softmax", "softmax-pushed"]
traces = lesson.live_traces(names, epochs=3)
show(lesson.trace_figure(traces))

# %% [markdown]
# These three epochs were trained just now on the embedded digits with one seed, so they are an illustration. The left
# panel shows the share of hidden activations at a flat end of the sigmoid. The right panel shows the gradient that
# still reaches the first convolution. In the collapsed networks nearly all activations are at a flat end after one or
# two epochs, before anything is learnt. Almost no gradient reaches the layers below them.
#
# The units of healthy networks move to the flat ends as well, but they do so later, and the end depends on the image:
# one end for some images, the other end for others. The gradient stays alive. ([Notebook 13](13_is_it_learning.ipynb)
# counts the units that stand at the *same* end for every image.)

# %% [markdown] tags=["lang-ko"] english="8b31bc34"
# 이 세 에포크는 내장된 숫자 이미지로 방금, 시드 하나로 학습한 것입니다. 증거라기보다 예시입니다. 왼쪽은 시그모이드의
# 포화 영역(0이나 1 근처)에 있는 은닉 활성값의 비율이고, 오른쪽은 첫 합성곱 층(convolution layer)까지 도달하는
# 기울기입니다. 붕괴한 신경망에서는 한두 에포크 만에, 무언가를 배우기도 전에 거의 모두가 그 끝에 가 있고, 그보다 앞쪽
# 층으로 가는 기울기는 거의 사라집니다.
#
# 건강한 신경망의 유닛도 끝으로 움직이지만, 더 나중에, 이미지에 따라 다른 답을 내느라 움직입니다. 어떤 이미지에서는
# 이쪽 끝, 다른 이미지에서는 저쪽 끝입니다. 기울기는 살아 있습니다. ([노트북 13](13_is_it_learning.ipynb)은 모든
# 이미지에서 *같은* 끝에 붙박인 유닛을 셉니다.)

# %% [markdown]
# ## 6. Switch it off, switch it on
#
# An explanation that is made to fit the results afterwards is cheap. So we wrote each of these conditions down *with
# its expected outcome*, and only then ran it on fresh seeds.

# %% [markdown] tags=["lang-ko"] english="63a01ed8"
# ## 6. 끄고, 켜 봅니다
#
# 결과를 보고 나서 끼워 맞춘 설명은 누구나 쉽게 만들 수 있습니다. 그래서 아래의 조건은 모두 *예상 결과와 함께*
# 먼저 적어 두고, 그다음에 새로운 시드로 돌렸습니다.

# %%
found = changed_conditions.stored("collapse")
changed_conditions.outcome_table(found)

# %% [markdown]
# *Removed push*: we subtract the mean gradient over the classes. Loss, activation and network stay as they are, and the
# network learns. *Added push*: we add the same push to softmax with cross-entropy, and that fitting pairing collapses.
# The table may also have a larger loss, a tanh instead of a sigmoid, or more patience. None of these changes the push,
# so we expected none to cure the network. SGD and a smaller learning rate leave the push and make its steps smaller.
# Training the output layer first lets the push end before it reaches the hidden layer. The last column says whether the
# outcome was as expected.
#
# There is a fair objection: does subtracting a mean over the classes not bring competition in by the back door? It is
# true that it couples the classes. The repairs of part 7 couple nothing.

# %% [markdown] tags=["lang-ko"] english="dbf96c71"
# *공통 힘을 없앤 경우*: 클래스에 걸친 평균 기울기를 빼면 손실 함수도, 활성화 함수도, 신경망도 그대로인데 신경망이
# 학습합니다. *힘을 더한 경우*: 똑같은 힘을 소프트맥스와 교차 엔트로피에 더하면 잘 맞던 그 조합이 붕괴합니다.
# 손실을 키우거나, 시그모이드 대신 tanh를 쓰거나, 더 오래 기다리는 조건이 표에 있다면, 어느 것도 그 힘을 건드리지
# 않으므로 해결되리라고 예상하지 않았습니다. SGD나 더 작은 학습률은 그 힘을 그대로 두고 갱신의 크기만 줄이며, 출력층을
# 먼저 학습하면 그 힘은 은닉층에 닿기 전에 끝납니다. 예상대로 되었는지는 마지막 열에 있습니다.
#
# 정당한 반론이 하나 있습니다. 클래스에 걸친 평균을 빼는 것은 슬그머니 경쟁을 끌어들이는 일이 아닐까요? 클래스들을 서로
# 묶는 것은 사실입니다. 7부의 해결 방법은 아무것도 묶지 않습니다.

# %%
show(condition_figures.outcome_figure(found))

# %% [markdown]
# We expected circles to learn and crosses to collapse. A mark on the wrong side would be a hole in the explanation.
#
# Two more conditions ask whether the base rate decides. A single sigmoid that answers a question that is true for one
# image in ten has no classes that could compete, and yet we expected it to collapse. We expected ten labels that are
# each true half of the time to learn. If the figure has these rows, count. In how many runs did the rare question
# collapse? In how many did questions that are true more often? If most rare questions collapsed and most others did
# not, that points to the base rate rather than the number of outputs. Near the border, the seed (split, starting
# weights and order of the images together) decides which way a run goes.

# %% [markdown] tags=["lang-ko"] english="e74eb9cf"
# 동그라미는 학습하리라고, 가위표는 붕괴하리라고 예상한 조건입니다. 표시가 반대쪽에 있다면 그만큼 설명에 구멍이
# 있다는 뜻입니다.
#
# 결정적인 요인이 기저율인지 묻는 조건이 두 가지 더 있습니다. 이미지 열 장 가운데 한 장에서만 참인 질문을 받는
# 시그모이드 하나에는 경쟁할 클래스가 없는데도 붕괴하리라고 예상했습니다. 레이블이 열 개라도 저마다 절반의 경우에 참이면
# 학습하리라고 예상했습니다. 그림에 이 행들이 있다면 세어 보세요. 드물게 참인 질문은 몇 번의 실행에서 붕괴했고, 더 자주
# 참인 질문은 몇 번이었나요? 드문 질문이 대부분 붕괴하고 나머지가 대부분 학습했다면, 출력의 개수보다 기저율(base rate)을
# 가리키는 결과입니다. 경계 근처에서는 시드(데이터 분할, 시작 가중치,
# 이미지 순서)가 어느 쪽으로 넘어갈지 정합니다.

# %% [markdown]
# One row deserves a closer look. With a tenth of the learning rate the hidden layer saturates nearly as much, and yet
# the network learns. So a saturated hidden layer alone does not end the training. What does?

# %% [markdown] tags=["lang-ko"] english="74ea8103"
# 한 행은 더 자세히 볼 만합니다. 학습률을 10분의 1로 줄이면 은닉층은 거의 그만큼 포화하는데도 신경망은 학습합니다.
# 그러니 은닉층이 포화했다고 해서 그것만으로 끝은 아닙니다. 그렇다면 무엇이 갈림길일까요?

# %%
show(lesson.trace_figure(changed_conditions.stored("collapse", ["control", "slow"]), epochs=40))

# %% [markdown]
# These are the stored runs of both conditions. On the left the two hardly differ for many epochs; on the right they
# differ widely. With small steps the layer stops just before it is fully saturated. A small gradient survives, and with
# enough patience it brings the network out. With full steps hardly any gradient is left that patience could use.
#
# Does the same hold for the squared error? Here are the same switches, on fresh seeds again:

# %% [markdown] tags=["lang-ko"] english="37008f95"
# 두 조건의 저장된 실행입니다. 왼쪽에서는 여러 에포크 동안 둘이 거의 다르지 않지만, 오른쪽에서는 크게 다릅니다. 갱신이
# 작으면 은닉층이 완전히 포화하기 직전에 멈추고, 실낱같은 기울기가 살아남아 오래 기다리면 신경망을 끌어냅니다. 갱신이 제
# 크기이면 기다려도 쓸 만한 기울기가 거의 남지 않습니다.
#
# 제곱 오차에서도 그럴까요? 같은 스위치를 다시 새로운 시드로 돌렸습니다.

# %%
squared = [name for name in changed_conditions.BY_NAME if name.startswith("mse")]
changed_conditions.outcome_table(changed_conditions.stored("switches", squared))

# %% [markdown]
# Compare the last column with the table above. Where it says *yes*, the explanation also predicted the outcome for the
# squared error.

# %% [markdown] tags=["lang-ko"] english="0954a57b"
# 마지막 열을 위의 표와 견주어 보세요. *yes*라고 적힌 곳에서는 이 설명이 제곱 오차의 결과도 미리 맞힌 것입니다.

# %% [markdown]
# ## 7. Three repairs
#
# If the classes exclude each other, use softmax with cross-entropy. If you must keep sigmoids (say, because tomorrow an
# image may show two digits), start them at the base rate, or use a hidden layer that cannot saturate on both sides.

# %% [markdown] tags=["lang-ko"] english="4880dcda"
# ## 7. 세 가지 해결 방법
#
# 클래스가 서로 배타적이라면 소프트맥스와 교차 엔트로피를 쓰세요. 시그모이드를 꼭 써야 한다면(이를테면 내일부터
# 이미지 한 장에 숫자가 둘 나올 수 있다면) 기저율에서 출발하게 하거나, 양쪽으로 포화하지 않는 은닉층을 쓰세요.

# %%
repairs = tables.summary("multiclass", "remedy")
tables.readable(repairs)

# %% [markdown]
# Setting the output bias to the prior takes one line of code. It is standard in object detection, where the base rate
# is far below one in ten (Lin et al. 2017). Its rows also answer the objection of part 6: the ten sigmoids are as
# independent as ever, and yet they learn. They did not lack competition; they needed another start. Here are the same
# rows, one dot per seed:

# %% [markdown] tags=["lang-ko"] english="2e4a8bf0"
# 출력층의 편향(bias)을 사전 확률(prior)에 맞추는 것은 코드 한 줄이면 되고, 기저율이 10분의 1보다 훨씬 낮은 객체
# 탐지(object detection)에서는 표준입니다(Lin et al. 2017). 이 행들은 6부의 반론에 대한 답이기도 합니다. 시그모이드
# 열 개가 여전히 서로 독립인데도 학습합니다. 모자랐던 것은 경쟁이 아니라 다른 출발점이었습니다. 같은 행을 시드마다
# 점 하나로 그리면 다음과 같습니다.

# %%
show(result_figures.dots_and_intervals(repairs))

# %% [markdown]
# With a ReLU hidden layer, look at every single dot before you trust the repair. For the squared error, look at the
# count in the column *at chance*. It seems likely that the ten sigmoids themselves are driven to 0 there; then a hidden
# layer that cannot saturate does not help.

# %% [markdown] tags=["lang-ko"] english="efda4aca"
# ReLU 은닉층을 쓰는 방법은 믿기 전에 점 하나하나가 어디에 있는지 보세요. 제곱 오차와 함께 쓸 때는 *at chance* 열의
# 횟수를 세어 보세요. 아마도 시그모이드 열 개 자체가 0으로 밀려나서, 포화하지 않는 은닉층도 도움이 되지 않는 듯합니다.

# %% [markdown]
# ## 8. Every pairing
#
# First come the rows that no document trains: the calls as PyTorch intends them, and the hinge loss.

# %% [markdown] tags=["lang-ko"] english="40d96fb5"
# ## 8. 모든 조합
#
# 먼저 어느 문서도 학습하지 않은 행들입니다. PyTorch가 뜻하는 올바른 호출과 힌지 손실(hinge loss)입니다.

# %%
tables.readable(tables.summary("multiclass", ["twin", "extra"]))

# %% [markdown]
# The hinge loss works on raw numbers, without any sigmoid at the output. Yet look at its column *at chance*: ten
# separate questions again, and the same outcome. (No run here has tested whether the same push causes it.)
#
# The grid shows every loss with every output activation, all on the same few seeds (an illustration, no verdicts).
# Brightness shows progress: a dark cell is no better than the constant answer, the brightest is a perfect one. Grey
# cells stop with an error.

# %% [markdown] tags=["lang-ko"] english="f4c84ece"
# 힌지 손실은 출력에 시그모이드가 전혀 없이 숫자 그대로 끝나는데도 *at chance* 열을 보세요. 따로따로 던지는 질문 열 개는
# 시그모이드 열 개와 똑같은 결말을 맞습니다. (같은 힘 때문인지는 여기서 실험하지 않았습니다.)
#
# 이 격자는 손실 함수와 출력층 활성화 함수의 모든 조합을 같은 몇 개의 시드로 보여 줍니다(예시일 뿐 판정은 아닙니다).
# 칸이 밝을수록 상수 답에서 완벽한 답까지 가는 길을 더 많이 갔다는 뜻이고, 회색 칸은 오류로 멈춥니다.

# %%
show(result_figures.grid_heatmap("multiclass"))

# %% [markdown]
# Look for `nn.BCEWithLogitsLoss` without an activation. It is ten sigmoids with `nn.BCELoss` in other words, and it
# fails in the same way. Now look at the squared error without an activation. It asks ten separate questions, too, and
# it learns. The push of part 5 would explain this: these outputs start near 0, close to the one tenth that they should
# reach, while sigmoids start at one half. Finally, the ReLU column has figures in the middle. How many digits do these
# networks never name?

# %% [markdown] tags=["lang-ko"] english="33535137"
# 활성화 함수 없이 쓴 `nn.BCEWithLogitsLoss`를 찾아보세요. 시그모이드 열 개에 `nn.BCELoss`를 쓴 것과 같은 말이고
# 운명도 같습니다. 이제 활성화 함수 없는 제곱 오차를 보세요. 여기서도 질문 열 개를 따로따로 던지는데 학습합니다. 5부의
# 미는 힘으로 설명할 수 있습니다. 이 출력들은 0 근처에서 출발하므로 도착해야 할 10분의 1에서 멀지 않지만, 시그모이드는
# 2분의 1에서 출발합니다. 마지막으로 ReLU 열에는 중간쯤 되는 값들이 있습니다. 이 신경망들이 한 번도 답하지 않는 숫자는
# 몇 개일까요?

# %%
halved = reference().of(lm.Pairing("multiclass", "mse", "relu"))
named = [[sum(column) for column in zip(*run["outputs"]["confusion"], strict=True)] for run in halved]
Markdown(f"MSE behind ReLU, seed by seed: **{', '.join(str(counts.count(0)) for counts in named)}** of ten digits.")

# %% [markdown]
# An output that is 0 for every image has slope 0 as well. It is dead, and its digit is lost. The other outputs go on
# learning.
#
# The picker below explains what a pairing means, and trains it live if you ask.

# %% [markdown] tags=["lang-ko"] english="109997f0"
# 모든 이미지에서 0인 출력은 기울기도 0입니다. 죽은 출력이고, 그 숫자는 잃어버립니다. 나머지는 계속 학습합니다.
#
# 아래의 선택기(picker)는 더 나아갑니다. 조합이 무엇을 뜻하는지 설명하고, 원하면 그 자리에서 학습합니다.

# %%
from lm_utils.explorer.picker import picker

picker("multiclass", data, device)

# %% [markdown]
# ## Exercises
#
# **Exercise 1.** All ten outputs say 0.1, the base rate, for every image. What is the value of `nn.BCELoss` then? (Take
# the mean over ten outputs, one of which should be 1.) This value is the plateau on which the collapsed training stays.

# %% [markdown] tags=["lang-ko"] english="04e2d7b3"
# ## 연습 문제
#
# **연습 1.** 출력 열 개가 모든 이미지에 기저율인 0.1이라고 답합니다. 이때 `nn.BCELoss`의 값은 얼마일까요? (출력
# 열 개의 평균이고, 그중 하나는 1이어야 합니다.) 붕괴한 학습이 머무는 정체 구간(plateau)이 바로 이 값입니다.

# %%
plateau = ...

# %% tags=["solution"]
plateau = -(0.1 * math.log(0.1) + 0.9 * math.log(0.9))

# %%
quiz.check(
    plateau,
    expected=-(0.1 * math.log(0.1) + 0.9 * math.log(0.9)),
    tolerance=1e-3,
    mistakes={
        0.6931: "That is the value at 0.5, before the first step.",
        2.3026: "That is -log 0.1, the cross-entropy of one true class among ten; BCE also asks the nine others.",
    },
    hint="One output in ten has target 1 and costs -log 0.1; nine have target 0 and cost -log 0.9.",
)

# %% [markdown]
# **Exercise 2.** Write a function that returns the output bias with which a sigmoid starts at the base rate `rate`. It
# is the first repair above.

# %% [markdown] tags=["lang-ko"] english="b1bbbe95"
# **연습 2.** 시그모이드가 기저율 `rate`에서 출발하게 하는 출력층 편향을 구하는 함수를 작성하세요. 위의 첫 번째
# 해결 방법입니다.

# %%
bias_for = ...

# %% tags=["solution"]
def bias_for(rate):
    return math.log(rate / (1 - rate))

# %%
quiz.check_function(
    bias_for,
    reference=lambda rate: math.log(rate / (1 - rate)),
    cases=[(0.1,), (0.5,), (0.01,)],
    mistakes=[
        (lambda rate: math.log(rate), "That is the bias for softmax; a sigmoid needs the log of the odds."),
        (lambda rate: rate, "That is the rate itself; the bias stands before the sigmoid."),
    ],
    hint="Solve sigmoid(b) = rate for b.",
)

# %% [markdown]
# **Exercise 3.** Which single change makes a *softmax* network collapse in these experiments? Answer with the short
# name of the condition. The next cell prints the names of the conditions in the first table of part 6.

# %% [markdown] tags=["lang-ko"] english="368b1872"
# **연습 3.** 이 실험들에서 변화 하나만으로 *소프트맥스* 신경망을 붕괴시키는 것은 무엇일까요? 조건의 짧은 이름으로
# 답하세요. 6부 첫째 표의 조건 이름은 다음 셀이 출력합니다.

# %%
print(*found, sep=", ")
culprit = ...

# %% tags=["solution"]
culprit = "softmax-pushed"

# %%
quiz.check(
    culprit,
    expected="softmax-pushed",
    mistakes={
        "softmax": "That one learns: it is the control without the push.",
        "tanh": "That one has sigmoids at the end.",
    },
    hint="Look for the cross among the softmax rows.",
)

# %% [markdown]
# ## Summary
#
# - With ten classes, the pairings that couple the classes (softmax before any of the losses) end close together. Check
#   whether their paired differences lie inside the band. A small difference may be real and still not matter.
# - Ten sigmoids with BCE or MSE collapse here. The reason is neither the loss nor missing competition, because both are
#   still there after the repairs. The reason is a push common to all outputs, which saturates the hidden layer before
#   anything is learnt. (With the squared error a ReLU hidden layer loses runs, too.)
# - The effect can be switched off (output bias at the prior, removed push) and on (added push).
# - Softmax twice costs little accuracy here. It shows in the floor of the loss. On other data it can cost far more
#   ([notebook 16](16_on_new_data.ipynb)).
#
# **Next:** [12 Multi-label classification](12_multi_label.ipynb), where softmax itself is the misfit.

# %% [markdown] tags=["lang-ko"] english="60ea1e8e"
# ## 요약
#
# - 클래스가 열 개일 때, 클래스들을 묶어 주는 손실 함수와 활성화 함수(무엇이든 그 앞에 소프트맥스가 있는 것)는
#   결과가 가까이 모입니다. 짝지은 차이가 띠 안에 드는지 보세요. 작은 차이는 실제로 있더라도 중요하지 않을 수 있습니다.
# - 여기서 시그모이드 열 개는 BCE나 MSE와 만나면 붕괴합니다. 그 이유는 손실 함수도 아니고 경쟁이 없어서도
#   아닙니다. 둘 다 해결한 뒤에도 그대로 남아 있기 때문입니다. 모든 출력을 함께 미는 힘이, 무언가를 배우기도 전에
#   은닉층을 포화시킵니다. (제곱 오차에서는 ReLU 은닉층도 몇 번의 실행을 잃습니다.)
# - 이 효과는 끌 수도 있고(출력층 편향을 사전 확률에 맞추기, 공통 힘 없애기) 켤 수도 있습니다(공통 힘 더하기).
# - 소프트맥스를 두 번 쓰면 여기서는 정확도가 별로 떨어지지 않고 손실의 하한에 그 흔적이 드러납니다. 다른
#   데이터에서는 훨씬 더 많이 잃을 수 있습니다([노트북 16](16_on_new_data.ipynb)).
#
# **다음:** [12 다중 레이블 분류](12_multi_label.ipynb). 거기서는 소프트맥스 자체가 맞지 않는 선택입니다.
