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
#   effect off and on, in a few lines of code each;
# - read from a map at which base rate, learning rate and hidden layer this can hit a network of yours;
# - distinguish softmax applied twice from softmax applied once, although their accuracy looks alike;
# - repair a collapsed network in three different ways.
#
# **Time:** {time}
#
# **Covers:** document 000, section 3-4 with section 1-3; document 001, section 3-4 with section 1-2
#
# **Before this one:** [10 Binary classification](10_binary.ipynb)

# %% [markdown] tags=["lang-ko"] english="cd62145a"
# # 11 다중 클래스 분류: 단어 하나의 차이
#
# 이 노트북을 마치면 다음을 할 수 있습니다.
#
# - 클래스가 열 개일 때 어떤 손실 함수(loss function)와 출력층 활성화 함수(output activation)가 정말로 정확도를
#   떨어뜨리고, 어떤 것은 그래 보이기만 하는지 말할 수 있습니다.
# - 단어 하나를 바꾸면 학습 초반의 갱신(step)이 어떻게 달라지는지 설명하고, 코드 몇 줄로 그 효과를 껐다 켜서 확인할 수
#   있습니다.
# - 어떤 기저율(base rate), 학습률(learning rate), 은닉층(hidden layer)에서 여러분의 신경망이 이 일을 겪을 수 있는지
#   지도에서 읽을 수 있습니다.
# - 정확도는 비슷해 보여도, 소프트맥스(softmax)를 두 번 적용한 것과 한 번 적용한 것을 구별할 수 있습니다.
# - 붕괴(collapse)한 신경망을 서로 다른 세 가지 방법으로 고칠 수 있습니다.
#
# **시간:** {time}
#
# **범위:** 문서 000의 3-4절과 1-3절, 문서 001의 3-4절과 1-2절
#
# **바로 앞 노트북:** [10 이진 분류](10_binary.ipynb)
#
# > 이 노트북은 한국어판입니다. 설명은 모두 한국어이고 코드는 [영어판](../11_multi_class.ipynb)과 똑같습니다. 위젯, 표,
# > 그림과 코드의 출력에는 영어가 나옵니다. 예측 질문은 바로 위 셀에 보기까지 우리말로 옮겨 두었습니다. 한국어판이 아직
# > 없는 노트북으로 가는 링크는 영어판으로 이어집니다.

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# This notebook uses two data sets. **Stored results** come from MNIST; they ship with the course and appear at once.
# **Live cells** train a tiny network of 6,218 parameters on the embedded digits, about a second a training. It stands
# in for the CNN of the documents: what it shows here, stored runs of that CNN confirm. Every table says which is which.

# %% [markdown] tags=["lang-ko"] english="fd954bab"
# 이 노트북에는 데이터셋이 두 가지 나옵니다. **저장된 결과**는 MNIST로 얻은 것으로, 강의에 들어 있어서 바로 나타납니다.
# **직접 학습시키는 셀**은 내장된 숫자 이미지로 파라미터 6,218개짜리 작은 신경망을 학습시킵니다. 학습 한 번에 약 1초가
# 걸립니다. 이 신경망은 문서의 CNN을 대신합니다. 여기서 보이는 것은 그 CNN의 저장된 실행에서도 확인됩니다. 어느
# 쪽인지는 표마다 적혀 있습니다.

# %%
import math

import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown, display
from scipy import stats
from torch.nn import functional as F

import lm_utils as lm
from lm_utils.evidence import changed_conditions, tables
from lm_utils.evidence import statistics as st
from lm_utils.evidence.results import reference, tested_digits
from lm_utils.evidence.sentences import comparison_sentence, sentence
from lm_utils.files import read_lines
from lm_utils.lessons import multi_class as lesson
from lm_utils.show import condition_figures, output_figures, quiz, result_figures
from lm_utils.show.banner import banner
from lm_utils.show.style import new_figure, show
from lm_utils.training import adamw

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
# > - 소프트맥스를 쓸 때처럼 약 97 %
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
# First look at the task itself: five test images of the embedded digits, each with its target.

# %% [markdown] tags=["lang-ko"] english="46ab8483"
# 먼저 과제 자체를 봅니다. 내장된 숫자 이미지 가운데 테스트 이미지 다섯 장과 저마다의 정답입니다.

# %%
digits = lm.load_data("digits")
figure, axes = new_figure(columns=5, width=9, height=2.2)
for axis, image, digit in zip(axes, digits.test.images, digits.test.digits, strict=False):
    axis.imshow(image[0], cmap="gray_r")
    axis.set(title=f"class {digit}", xticks=[], yticks=[])
figure.set_label("Five test images with their classes.")
show(figure)

# %% [markdown]
# A network reads such an image in three stages: convolutions, a hidden layer of sigmoid units, and ten outputs, here
# with a sigmoid each. The target is a row of nine zeros and a single one.

# %% [markdown] tags=["lang-ko"] english="9f7dba57"
# 신경망은 이런 이미지를 세 단계로 읽습니다. 합성곱 층, 시그모이드 유닛으로 된 은닉층, 그리고 출력 열 개입니다.
# 여기서는 출력마다 시그모이드가 하나씩 있습니다. 정답은 0이 아홉 개, 1이 하나인 원-핫 벡터(one-hot vector)입니다.

# %%
model = lm.TinyCNN(activation="sigmoid", generator=torch.Generator().manual_seed(0))
image, digit = digits.test.images[:1], digits.test.digits[:1]
hidden = torch.sigmoid(model.fc(model.features(image)))  # 32 units
outputs = torch.sigmoid(model.out(hidden))
assert torch.equal(outputs, model(image))
print("outputs", [f"{value:.2f}" for value in outputs[0]])
print("target ", F.one_hot(digit, 10)[0].tolist())

# %% [markdown]
# The fresh network says about one half ten times. Now train it twice. The loss is the squared error both times; only
# one word differs.

# %% [markdown] tags=["lang-ko"] english="743be9d1"
# 갓 만든 신경망은 열 클래스 모두에 약 2분의 1이라고 답합니다. 이제 두 번 학습시킵니다. 손실 함수는 두 번 다 제곱
# 오차이고, 단어 하나만 다릅니다.

# %%
runs = {}
for word in ("softmax", "sigmoid"):
    pairing = lm.Pairing("multiclass", "mse", activation=word)
    runs[word] = lm.fit(pairing, digits, max_epochs=15, network=lm.TinyCNN)
    print(f"{word}: test accuracy {runs[word].test_metric:.1%}")

# %% [markdown]
# Here are the answers to the five images above, beside the truth:

# %% [markdown] tags=["lang-ko"] english="8faac57c"
# 위의 이미지 다섯 장에 대한 답을 정답과 나란히 놓았습니다.

# %%
print("truth  ", digits.test.digits[:5].tolist())
for word, run in runs.items():
    print(word, run.test_predictions[:5].argmax(dim=1).tolist())

# %% [markdown]
# Was that bad luck? One run of one small network proves nothing. So here are ten runs of the documents' CNN on MNIST.

# %% [markdown] tags=["lang-ko"] english="0bb3e374"
# 운이 나빴을까요? 작은 신경망을 한 번 학습시킨 것으로는 아무것도 증명하지 못합니다. 그래서 문서의 CNN을 MNIST에서 열
# 번 학습시킨 결과를 봅니다.

# %% [markdown]
# ## 2. The loss table of document 000, measured again
#
# The document trained each row once. Here each row is trained with several seeds. A seed fixes the split, the starting
# weights and the order of the batches for *all* rows, so we can compare rows pair by pair.

# %% [markdown] tags=["lang-ko"] english="b76ba73a"
# ## 2. 문서 000의 손실 함수 표를 다시 재 봅니다
#
# 문서는 각 행을 한 번씩만 학습시켰습니다. 여기서는 각 행을 여러 시드(seed)로 학습시킵니다. 시드 하나가 데이터 분할,
# 가중치의 초깃값, 배치(batch)의 순서를 *모든* 행에 똑같이 정하므로 두 행을 짝지어 비교할 수 있습니다.

# %%
losses = tables.summary("multiclass", "loss")
tables.readable(losses)

# %% [markdown]
# Unfold *All columns* and compare *published* with *ours*: are the figures of the document within the range of our
# seeds? Every bracket holds a 95 % interval. Behind *at chance* it says how large the share of such runs may be among
# other seeds. The caption names rows whose paired differences are clearly skewed; the test behind *verdict* assumes
# that they are symmetric. The networks with sigmoid do not learn slowly. They give one constant answer for all ten
# thousand images. Which answer? Compare their accuracy with the shares of the digits.

# %% [markdown] tags=["lang-ko"] english="4a05690f"
# *All columns*를 펼쳐 *published* 열(문서에 실린 값)과 *ours* 열(우리가 잰 값)을 견주어 보세요. 문서의 수치가 우리
# 시드들의 범위 안에 들어오나요? 괄호 안은 모두 95 % 구간입니다. *at chance* 뒤의 구간은 다른 시드에서 그런 실행이
# 얼마나 많을 수 있는지 말해 줍니다. 표 아래의 설명에는 짝지은 차이가 뚜렷이 한쪽으로 치우친 행의 이름이 있습니다.
# *verdict* 열의 판정에 쓰는 검정은 그 차이가 대칭이라고 가정하기 때문입니다. 출력층에 시그모이드를 쓰는 신경망은
# 느리게 배우는 것이 아닙니다. 이미지 만 장 모두에 똑같은 답 하나를 내놓습니다. 어떤 답일까요? 그 정확도를 각 숫자의
# 비율과 견주어 보세요.

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
# Those were the document's figures and ours. **What are yours?** `make run-all` trains the same rows on your machine,
# with the data and the number of seeds that you choose. If you have run it, your results appear here. They are never
# mixed with the stored ones. Results on the embedded digits cannot be compared with results on MNIST.

# %% [markdown] tags=["lang-ko"] english="d6df0e61"
# 문서의 수치와 우리의 수치는 여기까지입니다. **그러면 여러분의 수치는 어떨까요?** `make run-all`은 같은 행을 여러분의
# 컴퓨터에서, 여러분이 고른 데이터와 시드 수로 학습시킵니다. 이미 실행했다면 그 결과가 아래에 나옵니다. 저장된 결과와
# 섞이는 일은 없습니다. 내장된 숫자 이미지로 얻은 결과는 MNIST로 얻은 결과와 비교할 수 없습니다.

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
# them. The rows on the left stand where a constant answer stands. There is almost nothing in between: **with this
# network, this optimiser and ten balanced classes the misfit does not make a network a little worse, it switches it
# off.** Part 8 maps where that stops being so.
#
# How close is close? Here are the differences to cross-entropy on logits, seed by seed.

# %% [markdown] tags=["lang-ko"] english="4785eae4"
# 점 하나가 시드 하나입니다. 오른쪽에 있는 행들은 서로 너무 가까워서, 문서처럼 한 번씩만 돌려서는 순위를 매길 수
# 없습니다. 왼쪽에 있는 행들은 상수 답이 있는 자리에 서 있습니다. 그 사이에는 거의 아무것도 없습니다. **이 신경망, 이
# 옵티마이저, 균형 잡힌 열 클래스에서 이 맞지 않는 조합은 신경망을 조금 나쁘게 만드는 것이 아니라 아예 꺼 버립니다.**
# 어디서부터 그렇지 않은지는 8부의 지도에 있습니다.
#
# 가깝다는 것은 얼마나 가까운 것일까요? 로짓(logit)에 바로 쓴 교차 엔트로피(cross-entropy)와의 차이를 시드마다
# 구했습니다.

# %%
show(result_figures.differences(losses))

# %% [markdown]
# The grey band reaches half a percentage point to either side. [Notebook 07](07_experiment_design.ipynb), part 6, says
# how to read an interval against it and what the verdicts mean.
#
# The first row needs a second look. The document calls it "Categorical Cross-Entropy (with Softmax)" and recommends it.
# Its code passed *softmax outputs* to `nn.CrossEntropyLoss`, and that loss applies softmax itself. So softmax was
# applied twice.

# %% [markdown] tags=["lang-ko"] english="10fd6ee4"
# 회색 띠는 양쪽으로 0.5퍼센트포인트입니다. 구간(interval)을 이 띠와 어떻게 견주고 판정이 무엇을 뜻하는지는
# [노트북 07](07_experiment_design.ipynb)의 6부에 있습니다.
#
# 첫 행은 다시 볼 필요가 있습니다. 문서는 이 행을 "Categorical Cross-Entropy (with Softmax)"라고 부르며 권장합니다.
# 그런데 문서의 코드는 *소프트맥스의 출력*을 `nn.CrossEntropyLoss`에 넘겼고, 이 손실 함수는 소프트맥스를 직접
# 적용합니다. 소프트맥스를 두 번 쓴 것입니다.

# %%
twin, twice = lm.Pairing("multiclass", "cross_entropy"), lm.Pairing("multiclass", "cross_entropy", "softmax")
for pairing in (twice, twin):
    display(Markdown(sentence(pairing)))
Markdown(comparison_sentence(twice, twin))

# %% [markdown]
# The last sentence holds a mean and an interval. They are computed like this, seed by seed:

# %% [markdown] tags=["lang-ko"] english="efa021b6"
# 마지막 문장에는 평균과 구간이 있습니다. 시드마다 다음과 같이 계산합니다.

# %%
mine, theirs = reference().scores(twice), reference().scores(twin)
gaps = torch.tensor([mine[seed] - theirs[seed] for seed in sorted(mine)], dtype=torch.float64)
reach = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std() / math.sqrt(len(gaps))
assert math.isclose(st.mean_interval(gaps.tolist()).low, gaps.mean() - reach)
print(f"{100 * gaps.mean():+.2f} points, from {100 * (gaps.mean() - reach):+.2f} to {100 * (gaps.mean() + reach):+.2f}")

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
# 완벽한 신경망에서도 손실은 그 두 번째 숫자입니다. 이 하한(floor)을 모르는 사람은 멀쩡한 학습을 멈춘 학습으로
# 오해합니다. 그리고 두 스크립트의 손실은 서로 비교할 수 없습니다. 눈금이 시작하는 값이 서로 다르기 때문입니다.

# %%
show(output_figures.learning_curves([twin, twice, lm.Pairing("multiclass", "bce", "sigmoid")]))

# %% [markdown]
# The dotted lines show the best constant answer; the dashed line is the floor of softmax twice. The sigmoid network
# reaches the constant answer within an epoch or two (of 63 batches, at this learning rate) and stays there. The
# accuracy of softmax twice ends as high as that of softmax once, but it starts lower, and several of its runs stand
# still for a few epochs before they climb. Where the first softmax is sure, its gradient almost vanishes, so a
# confident mistake hardly gets corrected. This probably costs training time, which accuracy does not show. (Small
# gradients alone would not matter, because AdamW rescales them.)

# %% [markdown] tags=["lang-ko"] english="dc1955ad"
# 점선은 가장 좋은 상수 답이고, 파선은 소프트맥스를 두 번 쓸 때의 하한입니다. 시그모이드 신경망은 (이 학습률에서, 배치
# 63개로 이루어진) 한두 에포크(epoch) 안에 상수 답에 이르고, 그대로 머뭅니다. 소프트맥스를 두 번 쓴 신경망의 정확도는
# 끝에 가면 한 번 쓴 신경망만큼 높지만, 더 낮은 곳에서 출발하고, 몇몇 실행은 몇 에포크 동안 멈춰 있다가 올라갑니다. 첫
# 번째 소프트맥스가 확신하는 곳에서는 기울기(gradient)가 거의 사라져서 확신에 찬 오답이 잘 고쳐지지 않습니다. 그래서
# 아마 학습 시간이 더 걸릴 텐데, 정확도에는 그것이 드러나지 않습니다. (기울기가 작기만 한 것은 문제가 되지 않습니다.
# AdamW가 크기를 다시 맞추기 때문입니다.)

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

# %% [markdown]
# Look at the last row before you read on. Its output activation is the *sigmoid*, the one the document warns about, and
# yet this network does learn. So the activation alone is not the reason for the collapse. (Missing competition could
# still be the reason: `nn.CrossEntropyLoss` applies its own softmax, and there the classes compete again. Part 7 comes
# back to this.)

# %% [markdown] tags=["lang-ko"] english="c4cded55"
# 더 읽기 전에 마지막 행을 보세요. 출력층 활성화 함수가 문서가 경고한 바로 그 *시그모이드*인데도 이 신경망은
# 학습합니다. 그러니 활성화 함수만으로는 붕괴가 설명되지 않습니다. (경쟁이 없어서일 가능성은 아직 남아 있습니다.
# `nn.CrossEntropyLoss`는 소프트맥스를 직접 적용하므로 거기서는 클래스들이 다시 경쟁합니다. 이 문제는 7부에서 다시
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
# Accuracy only asks which output is the largest. It does not ask how honest an output is. A calibration plot does. It
# shows three networks that accuracy cannot tell apart.

# %% [markdown] tags=["lang-ko"] english="1ed1b494"
# ## 4. 출력은 어떻게 생겼을까요?
#
# 정확도는 어느 출력이 가장 큰지만 묻고, 출력이 얼마나 솔직한지는 묻지 않습니다. 그것을 묻는 것이 보정 그림(calibration
# plot)입니다. 아래 그림은 정확도로는 구별되지 않는 신경망 셋을 보여 줍니다.

# %%
show(output_figures.calibration([twin, twice, lm.Pairing("multiclass", "mse", "softmax")]))

# %% [markdown]
# A point on the diagonal means: of the images for which the network said "90 % sure", it got 90 % right. Below the
# diagonal a network is too sure of itself, above it too cautious. The calibration error (ECE, in brackets) is the gap
# averaged over all images, and nearly all images are in the last mark on the right. Rows that accuracy cannot tell
# apart may differ here. ([Notebook 09](09_probability.ipynb) explains this measure and two more.) A confusion matrix
# shows which digits get mixed up. Here the collapsed network stands beside a healthy one.

# %% [markdown] tags=["lang-ko"] english="d254b7fe"
# 점이 대각선에 정확히 놓이면, 신경망이 "90 % 확신한다"고 말한 이미지 가운데 90 %가 실제로 맞았다는 뜻입니다.
# 대각선보다 아래에 있으면 지나치게 확신하는 것이고, 대각선보다 위에 있으면 지나치게 조심스러운 것입니다. 그 차이를
# 이미지 전체에 대해 평균한 값이 보정 오차(calibration error, 괄호 안의 ECE)입니다. 거의 모든 이미지는 맨 오른쪽 점에
# 들어 있습니다. 정확도로는 구별되지 않는 행들도 여기서는 다를 수 있습니다. (이 척도와 다른 두 척도는 [노트북
# 09](09_probability.ipynb)에서 설명합니다.) 어떤 숫자끼리 헷갈리는지는 혼동 행렬(confusion matrix)에서 볼 수 있습니다.
# 붕괴한 신경망을 건강한 신경망 옆에 놓아 보았습니다.

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
# outputs of each image to go down and one to go up. On balance that is a push **down**, the same for every image. And
# averaged over the images, each of the ten outputs is asked to go down. Let us compute it:

# %% [markdown] tags=["lang-ko"] english="69e75689"
# ## 5. 왜 그럴까요? 첫 갱신을 봅니다
#
# 문서는 시그모이드 출력이 서로 독립이라 경쟁하지 않기 때문이라고 추정합니다(문서에 "추정"이라고 적혀 있습니다).
# 다른 후보도 있습니다. 갓 만든 신경망은 모든 클래스에 대해 약 0.5라고 답합니다.
# 예/아니요 질문 열 개를 따로따로 던지는 손실 함수는 이미지마다 출력 아홉 개는 내려가고 하나는 올라가기를 바랍니다.
# 합치면 모든 이미지에서 똑같이 **아래로** 미는 셈입니다. 이미지 전체로 평균하면 출력 열 개가 저마다 내려가라는 요구를
# 받습니다. 직접 계산해 봅시다.

# %%
model = lm.TinyCNN(generator=torch.Generator().manual_seed(0))
images, targets = digits.train.images, F.one_hot(digits.train.digits, 10).float()
z = model.logits(images).detach()
pushes = {
    "ten sigmoids": torch.sigmoid(z) - targets,
    "softmax": torch.softmax(z, dim=1) - targets,
}  # BCE, cross-entropy
for name, push in pushes.items():
    print(f"{name}, mean over the images:", [f"{value:+.2f}" for value in push.mean(dim=0)])

# %% [markdown]
# For both losses the gradient at a logit is *output minus target*. Above zero means that a step *lowers* this logit.
# With sigmoids every output is pushed down, on average by about 0.4. With softmax hardly anything is left, because its
# outputs start near one tenth, where the targets are on average. How much do the images agree about what a *hidden*
# unit should do? The gradient that arrives there is the one above times the output weights.

# %% [markdown] tags=["lang-ko"] english="ff6f6269"
# 두 손실 함수 모두 로짓에서의 기울기는 *출력 빼기 정답*입니다. 0보다 크면 갱신이 이 로짓을 *낮춘다*는 뜻입니다.
# 시그모이드에서는 모든 출력이 평균 약 0.4만큼 아래로 밀립니다. 소프트맥스에서는 거의 아무것도 남지 않습니다. 출력이
# 10분의 1 근처에서 출발하고, 정답의 평균도 10분의 1이기 때문입니다. *은닉* 유닛(hidden unit)이 어느 쪽으로 움직여야
# 하는지, 이미지들의 요구는 얼마나 일치할까요? 거기에 도착하는 기울기는 위의 기울기에 출력층 가중치를 곱한 것입니다.

# %%
for name, push in pushes.items():
    at_hidden = push @ model.out.weight.detach()  # one row per image, one column per hidden unit
    with_most = 0.5 + at_hidden.sign().mean(dim=0).abs() / 2
    print(f"{name}: {with_most.mean():.0%} of the images push a hidden unit the way of the majority")

# %%
candidates = [("bce", "sigmoid"), ("mse", "sigmoid"), ("cross_entropy", "none")]
first = [lesson.first_push(lm.Pairing("multiclass", *names), lm.load_data(data)) for names in candidates]
show(lesson.first_push_figure(first))

# %% [markdown]
# The figure shows the same for the CNN of the documents. A push that nearly all images share moves each hidden unit
# steadily one way: half of the units up, the others down. AdamW makes it worse: it divides each step by the size of
# past gradients, so a small but steady push becomes a full step. The hidden layer uses a sigmoid. Pushed far enough,
# its units stand at 0 or 1 for *every* image, and then hardly any gradient passes back. The push itself ends as soon as
# the outputs say one tenth. So it is a **race**: are the outputs down first, or is the hidden layer full first? Here
# are the first twenty steps of the documents' CNN, batch by batch:

# %% [markdown] tags=["lang-ko"] english="a71e8997"
# 위의 그림은 문서의 CNN에서 같은 것을 보여 줍니다. 거의 모든 이미지가 함께 미는 힘은 은닉 유닛을 저마다 한쪽으로
# 꾸준히 움직입니다. 유닛의 절반은 위로, 나머지는 아래로 갑니다. AdamW는 상황을 더 나쁘게 만듭니다. 갱신할 때마다 과거
# 기울기의 크기로 나누기 때문에, 힘이 작아도 방향이 꾸준하면 온전한 크기의 갱신이 됩니다. 은닉층은 시그모이드를 씁니다.
# 충분히 밀리면 은닉 유닛은 *모든* 이미지에서 0이나 1에 머무는 포화(saturation) 상태가 되고, 그러면 기울기가 거의 뒤로
# 전달되지 않습니다. 미는 힘 자체는 출력이 10분의 1이라고 답하는 순간 끝납니다. 그러니 이것은 **경주**입니다. 출력이
# 먼저 내려갈까요, 은닉층이 먼저 가득 찰까요? 문서의 CNN에서 처음 스무 번의 갱신을 배치마다 봅니다.

# %%
model = lm.CNN(generator=torch.Generator().manual_seed(0))
optimizer, order = adamw(model), torch.randperm(600, generator=torch.Generator().manual_seed(0)).repeat(2)
for step in range(1, 21):
    batch = order[32 * step - 32 : 32 * step]
    optimizer.zero_grad()
    F.binary_cross_entropy_with_logits(model.logits(images[batch]), targets[batch]).backward()
    optimizer.step()
    if step in (1, 3, 5, 7, 8, 10, 15, 20):
        units = model.hidden_units(images[:200]).detach()
        stuck = ((units < 0.01).all(dim=0) | (units > 0.99).all(dim=0)).float().mean()
        says = torch.sigmoid(model.logits(images[:200])).mean()
        print(f"after step {step:2}: {stuck:4.0%} of the units stuck, mean output {says:.2f}")

# %% [markdown]
# *Stuck* means: at the same end for all of 200 images. The layer fills within a few steps, while the outputs are still
# on their way down to 0.1. The hidden layer wins the race long before the first epoch ends; the lines above say after
# how many batches most of it was stuck. What follows is in the stored runs of this CNN on MNIST:

# %% [markdown] tags=["lang-ko"] english="18f3a110"
# *stuck*은 이미지 200장 모두에서 같은 끝에 붙어 있다는 뜻입니다. 출력이 아직 0.1로 내려가는 동안 은닉층은 몇 번의 갱신
# 만에 가득 찹니다. 첫 에포크가 끝나기 한참 전에 은닉층이 경주에서 이깁니다. 배치 몇 개 만에 유닛 대부분이 끝에 붙어
# 버렸는지는 위의 출력에 나옵니다. 그다음에 일어나는 일은 이 CNN을 MNIST에서 학습시킨 저장된 실행에 있습니다.

# %%
names = ["control", "no-common-push", "slow"]
show(lesson.trace_figure(changed_conditions.stored("collapse", names), epochs=20))

# %% [markdown]
# The left panel shows the share of hidden activations at a flat end of the sigmoid, whichever end that is for an image.
# The right panel shows the gradient that still reaches the first convolution. In the collapsed networks hardly any is
# left after an epoch or two, so more patience does not help. With a tenth of the learning rate the layer fills nearly
# as much, but it stops just before the end. A small gradient survives, and with enough patience it brings the network
# out. So a network can recover from a full layer, but not from a layer that passes no gradient.

# %% [markdown] tags=["lang-ko"] english="076c0a04"
# 왼쪽은 시그모이드의 평평한 끝(이미지마다 어느 쪽 끝이든)에 있는 은닉 활성값의 비율이고, 오른쪽은 첫 합성곱
# 층(convolution layer)까지 아직 도달하는 기울기입니다. 붕괴한 신경망에서는 한두 에포크 뒤에 거의 아무것도 남지 않아서,
# 더 기다려도 소용이 없습니다. 학습률을 10분의 1로 줄이면 은닉층은 거의 그만큼 차지만 끝에 닿기 직전에 멈춥니다. 작은
# 기울기가 살아남고, 충분히 오래 기다리면 그 기울기가 신경망을 빠져나오게 합니다. 그러니 신경망은 가득 찬 은닉층에서는
# 회복할 수 있지만, 기울기가 전혀 지나가지 못하는 은닉층에서는 회복하지 못합니다.

# %% [markdown]
# ## 6. Switch it off, switch it on
#
# If the push is the cause, the network must learn without it, and a fitting pairing must collapse with it. Each switch
# is a few lines. The function gets the fresh network, changes it and returns the optimiser. First, nothing is changed:

# %% [markdown] tags=["lang-ko"] english="d04e92ca"
# ## 6. 끄고, 켜 봅니다
#
# 미는 힘이 원인이라면, 그 힘이 없을 때 신경망은 학습해야 하고, 그 힘이 있을 때는 잘 맞는 조합도 붕괴해야 합니다. 스위치
# 하나는 코드 몇 줄입니다. 함수는 갓 만든 신경망을 받아서 바꾸고 옵티마이저를 돌려줍니다. 먼저, 아무것도 바꾸지
# 않습니다.

# %%
SIGMOIDS, SOFTMAX = lm.Pairing("multiclass", "bce", "sigmoid"), lm.Pairing("multiclass", "cross_entropy")


def train(pairing, setup=adamw):
    run = lm.fit(pairing, digits, max_epochs=15, network=lm.TinyCNN, setup=setup)
    print(f"{pairing.label}: test accuracy {run.test_metric:.1%}")


train(SIGMOIDS)
train(SOFTMAX)

# %% [markdown]
# **Off.** We take the push out of the gradient before it reaches the output layer. There are two ways to say what is
# common: the mean over the ten classes of an image, or each class's mean over the images of the batch. Here is the
# first:

# %% [markdown] tags=["lang-ko"] english="2b5f2ac8"
# **끄기.** 기울기가 출력층에 닿기 전에 미는 힘을 빼냅니다. 무엇이 공통인지는 두 가지로 말할 수 있습니다. 한 이미지의 열
# 클래스에 걸친 평균이거나, 배치의 이미지들에 걸친 클래스별 평균입니다. 첫째는 다음과 같습니다.


# %%
def without_class_mean(model):
    model.out.register_full_backward_pre_hook(lambda layer, g: (g[0] - g[0].mean(dim=1, keepdim=True),))
    return adamw(model)


train(SIGMOIDS, without_class_mean)

# %% [markdown]
# It learns. But subtracting a mean over the classes couples them, and coupling is what softmax does. So here is the
# second way, which couples no classes:

# %% [markdown] tags=["lang-ko"] english="aaad2eed"
# 학습합니다. 그런데 클래스에 걸친 평균을 빼면 클래스들이 서로 묶이고, 묶는 것은 소프트맥스가 하는 일입니다. 그래서
# 클래스를 묶지 않는 둘째 방법을 봅니다.


# %%
def without_image_mean(model):
    model.out.register_full_backward_pre_hook(lambda layer, g: (g[0] - g[0].mean(dim=0, keepdim=True),))
    return adamw(model)


train(SIGMOIDS, without_image_mean)

# %% [markdown]
# It learns, too, though less well (the output bias can no longer move). **On.** Now we add the sigmoids' push to
# softmax with cross-entropy:

# %% [markdown] tags=["lang-ko"] english="e5c54c14"
# 이번에도 학습합니다. 다만 그만큼 잘하지는 못합니다(출력층 편향(bias)이 더는 움직이지 못합니다). **켜기.**
# 소프트맥스와 교차 엔트로피에 시그모이드의 미는 힘을 더합니다.


# %%
def with_push(model):
    def add(layer, inputs, z):
        too_high = torch.sigmoid(z.detach().mean(dim=1, keepdim=True)) - 0.1
        if z.requires_grad:
            z.register_hook(lambda g: g + too_high / len(g))

    model.out.register_forward_hook(add)
    return adamw(model)


train(SOFTMAX, with_push)

# %% [markdown]
# That push is common to classes *and* images. The next one is not common to the classes: the output biases start at +3
# and −3 alternately. Softmax's gradient still sums to zero over the classes, but every output starts too high or too
# low for nearly all images.

# %% [markdown] tags=["lang-ko"] english="e2e35a36"
# 그 힘은 클래스에도, 이미지에도 공통입니다. 다음 힘은 클래스에 공통이 아닙니다. 출력층 편향이 +3과 −3에서 번갈아
# 출발합니다. 소프트맥스의 기울기는 여전히 클래스 전체로 더하면 0이지만, 출력마다 거의 모든 이미지에 대해 너무 높거나
# 너무 낮은 곳에서 출발합니다.


# %%
def with_alternating_bias(model):
    model.out.bias.data = torch.tensor([3.0, -3.0] * 5)
    return adamw(model)


train(SOFTMAX, with_alternating_bias)

# %% [markdown]
# One seed is an illustration. It is also easy to invent an explanation once the results are known. So we wrote each of
# the following conditions down *with its expected outcome*. Only then did we run it, on fresh seeds with the CNN of the
# documents.

# %% [markdown] tags=["lang-ko"] english="0f63db64"
# 시드 하나는 예시일 뿐입니다. 결과를 보고 나서 끼워 맞춘 설명도 누구나 쉽게 만들 수 있습니다. 그래서 아래의 조건은
# 모두 *예상 결과와 함께* 먼저 적어 두었습니다. 그런 다음에야 문서의 CNN을 새로운 시드로 학습시켰습니다.

# %%
found = changed_conditions.stored("collapse")
changed_conditions.outcome_table(found)

# %%
show(condition_figures.outcome_figure(found))

# %% [markdown]
# A grey box shows where we expected the runs. A cross is a run that contradicts the explanation. A larger loss, a tanh
# or more patience do not change the push, so we expected none of them to cure the network. SGD and a smaller learning
# rate leave the push and make its steps smaller. Training the output layer first lets the push end before it reaches
# the hidden layer. A single sigmoid has no classes that could compete. Yet we expected it to collapse where its
# question is true for one image in ten. Ten labels that are each true half of the time should learn. Near the border
# the seed (split, starting weights and order of the images together) decides which way a run goes.
#
# **Common to the classes, or to the images?** With balanced classes no run of this table can tell. The next grid can.
# It has rare classes, the two kinds of removal, and the alternating bias. What each explanation expects was written
# down before the first run. Both networks ran it on ten seeds. *Learnt* means no more than: better than a constant
# answer.

# %% [markdown] tags=["lang-ko"] english="1cc1a621"
# 회색 상자는 실행이 있으리라고 예상한 자리입니다. 가위표는 설명에 어긋나는 실행입니다. 손실을 키우거나, tanh를 쓰거나,
# 더 오래 기다리는 것은 미는 힘을 바꾸지 않으므로 신경망이 회복하리라고 예상하지 않았습니다. SGD나 더 작은 학습률은 그
# 힘을 그대로 두고 갱신의 크기만 줄입니다. 출력층을 먼저 학습시키면 그 힘은 은닉층에 닿기 전에 끝납니다. 시그모이드가
# 하나뿐이면 경쟁할 클래스가 없습니다. 그래도 그 질문이 이미지 열 장 가운데 한 장에서만 참이면 붕괴하리라고
# 예상했습니다. 저마다 절반의 경우에 참인 레이블 열 개는 학습하리라고 예상했습니다. 경계 근처에서는 시드(데이터 분할,
# 시작 가중치, 이미지 순서를 합친 것)가 어느 쪽으로 넘어갈지 정합니다.
#
# **클래스에 공통일까요, 이미지에 공통일까요?** 클래스가 균형을 이루면 이 표의 어떤 실행도 그것을 가릴 수 없습니다. 다음
# 격자는 가릴 수 있습니다. 여기에는 드문 클래스, 평균을 빼는 두 가지 방법, 번갈아 나오는 편향이 있습니다. 두 설명이
# 무엇을 예상하는지는 첫 실행 전에 적어 두었습니다. 두 신경망 모두 이 격자를 시드 열 개로 돌렸습니다.
# *learnt*(배웠다)는 상수 답보다 낫다는 뜻일 뿐입니다.

# %%
for network, name in {"the tiny network": "digits", "the documents' CNN": "mnist"}.items():
    grid = lesson.grid_table(name).frame
    learnt, runs = grid["learnt"].str.split(" of ", expand=True).astype(int).to_numpy().T
    assert (runs == 10).all()
    print(f"{network}:")
    for images_are in grid["training images"].unique():
        rows = (grid["training images"] == images_are).to_numpy()
        for what in ("if the classes matter", "if the images matter"):
            foretold = np.where(grid[what] == "learns", learnt, runs - learnt)[rows]
            print(f"  {images_are}, {what}: {foretold.sum()} of {runs[rows].sum()} runs as foretold")
    assert (learnt == runs)[grid["network"] == "ten sigmoids, mean over classes removed"].all()
    display(lesson.grid_table(name))

# %% [markdown]
# With balanced classes softmax mostly collapses with alternating biases although nothing is common to its classes, and
# the mean over the images is what cures it. Where that mean is removed, every run learns, in both networks. So what
# does the harm is **a push on an output that all images share**.
#
# With rare classes our own expectation failed. Where the class mean is removed, the push that is left is the same for
# all images, so we expected a collapse; ten sigmoids learn there in every run of both networks. On the tiny network
# most softmax runs with alternating biases learn at least something, too, and counted in these cells the classes even
# foretell more runs than the images. Perhaps the outputs have only a short way to go until the remaining push ends. We
# thought of this only after we had seen the results. It says that the *length* of the way matters, and the map of part
# 8 tests that.

# %% [markdown] tags=["lang-ko"] english="29913608"
# 클래스가 균형을 이루면 소프트맥스는 클래스에 공통인 것이 전혀 없는데도 번갈아 나오는 편향에서 대부분 붕괴하고, 그것을
# 고치는 것은 이미지에 걸친 평균입니다. 그 평균을 빼면 두 신경망 모두 모든 실행에서 학습합니다. 그러니 해로운 것은
# **모든 이미지가 함께 출력 하나를 미는 힘**입니다.
#
# 드문 클래스가 있을 때는 우리의 예상이 빗나갔습니다. 클래스 평균을 빼면 남은 힘은 모든 이미지에서 같으므로
# 붕괴하리라고 예상했습니다. 그런데 시그모이드 열 개는 거기서 두 신경망의 모든 실행이 학습합니다. 작은 신경망에서는
# 편향이 번갈아 나오는 소프트맥스도 대부분 조금은 배우고, 이 칸들만 세면 클래스 쪽 설명이 이미지 쪽 설명보다 더 많은
# 실행을 맞힙니다.
# 어쩌면 남은 힘이 끝날 때까지 출력이 갈 길이 짧기 때문일지도 모릅니다. 이 설명은 결과를 본 뒤에 나왔습니다. 길의
# *길이*가 중요하다는 말인데, 8부의 지도가 그것을 시험합니다.

# %% [markdown]
# Does all this hold for the squared error as well? Here are the same switches, on fresh seeds again:

# %% [markdown] tags=["lang-ko"] english="01c3e4d1"
# 제곱 오차에서도 그럴까요? 같은 스위치를 다시 새로운 시드로 돌렸습니다.

# %%
squared = {name: runs for name, runs in changed_conditions.stored("switches").items() if name.startswith("mse")}
reached = pd.DataFrame({name: [run["test_metric"] for run in runs] for name, runs in squared.items()})
chance = pd.Series({name: runs[0]["chance"] for name, runs in squared.items()})
lost = ((reached - chance) / (1 - chance) < 0.05).sum()  # less than a twentieth of the way from chance to perfect
assert lost.to_dict() == {name: changed_conditions.collapsed(runs) for name, runs in squared.items()}
changed_conditions.outcome_table(squared)

# %% [markdown]
# ## 7. Three repairs
#
# If the classes exclude each other, use softmax with cross-entropy. If you must keep sigmoids (say, because tomorrow an
# image may show two digits), start them at the base rate:

# %% [markdown] tags=["lang-ko"] english="b3a83281"
# ## 7. 세 가지 해결 방법
#
# 클래스가 서로 배타적이라면 소프트맥스와 교차 엔트로피를 쓰세요. 시그모이드를 꼭 써야 한다면(이를테면 내일부터
# 이미지 한 장에 숫자가 둘 나올 수 있다면) 기저율에서 출발하게 하세요.


# %%
def at_the_prior(model):
    model.out.bias.data.fill_(math.log(0.1 / 0.9))
    return adamw(model)


train(SIGMOIDS, at_the_prior)

# %% [markdown]
# This is one line of code. It is standard in object detection, where the base rate is far below one in ten (Lin et al.
# 2017). The ten sigmoids are as independent as ever, and yet they learn. They did not lack competition; they needed
# another start. The other two repairs keep the start, and use a hidden layer that cannot fill up:

# %% [markdown] tags=["lang-ko"] english="c7aabd34"
# 코드 한 줄입니다. 기저율이 10분의 1보다 훨씬 낮은 객체 탐지(object detection)에서는 표준입니다(Lin et al. 2017).
# 시그모이드 열 개가 여전히 서로 독립인데도 학습합니다. 모자랐던 것은 경쟁이 아니라 다른 출발점이었습니다. 나머지 두
# 방법은 출발점을 그대로 두고, 가득 찰 수 없는 은닉층을 씁니다.


# %%
def with_layer_norm(model):
    model.hidden = lambda x: torch.sigmoid(F.layer_norm(x, x.shape[1:]))
    return adamw(model)


train(SIGMOIDS, with_layer_norm)
train(lm.Pairing("multiclass", "bce", "sigmoid", hidden="relu"))

# %% [markdown]
# The normalisation leaves the push alone: it keeps every image's units spread around zero, however hard they are
# pushed. Most networks of today normalise, and few have sigmoid hidden layers. That is why you may never have met this
# collapse. Here are the stored runs, ten seeds of the documents' CNN:

# %% [markdown] tags=["lang-ko"] english="328cb7b3"
# 정규화(normalisation)는 미는 힘을 건드리지 않습니다. 아무리 세게 밀려도 이미지마다 유닛들이 0 주위에 퍼져 있게
# 합니다. 오늘날의 신경망은 대부분 정규화를 쓰고, 시그모이드 은닉층은 드뭅니다. 그래서 이 붕괴를 한 번도 만나지 못했을
# 수 있습니다. 문서의 CNN을 시드 열 개로 학습시킨 저장된 실행은 다음과 같습니다.

# %%
repairs = tables.summary("multiclass", "remedy")
tables.readable(repairs)

# %% [markdown]
# With a ReLU hidden layer, look at the column *at chance* before you trust the repair, above all for the squared error.
# It seems likely that the ten sigmoids themselves are driven to 0 there; then a hidden layer that cannot fill up does
# not help.
#
# Two rows call for a second look. `nn.BCELoss` behind a sigmoid and `nn.BCEWithLogitsLoss` are the same mathematics,
# and yet with a ReLU hidden layer the two may get different verdicts. The next cell compares their gradients, and the
# two rows seed by seed.

# %% [markdown] tags=["lang-ko"] english="50c27d97"
# ReLU 은닉층을 쓰는 방법은 믿기 전에, 특히 제곱 오차와 함께 쓸 때는 *at chance* 열을 보세요. 아마도 시그모이드 열 개
# 자체가 0으로 밀려나서, 가득 차지 않는 은닉층도 도움이 되지 않는 듯합니다.
#
# 두 행은 다시 볼 필요가 있습니다. 시그모이드 뒤의 `nn.BCELoss`와 `nn.BCEWithLogitsLoss`는 수학적으로 똑같은데도, ReLU
# 은닉층에서는 둘의 판정이 다를 수 있습니다. 다음 셀은 둘의 기울기를 견주고, 두 행을 시드마다 견줍니다.

# %%
z = model.logits(images).detach().requires_grad_()
slopes = [torch.autograd.grad(F.binary_cross_entropy(z.sigmoid(), targets), z)[0],
          torch.autograd.grad(F.binary_cross_entropy_with_logits(z, targets), z)[0]]  # fmt: skip
print(f"largest difference of the gradients: {(slopes[0] - slopes[1]).abs().max() / slopes[1].abs().max():.0e} of them")
same = [
    lm.Pairing("multiclass", "bce", "sigmoid", hidden="relu"),
    lm.Pairing("multiclass", "bce_logits", hidden="relu"),
]
between = st.mean_interval(reference().paired(*same))
print(
    f"paired difference: {100 * between.mean:+.2f} points, from {100 * between.low:+.2f} to {100 * between.high:+.2f}"
)

# %% [markdown]
# The gradients differ in the last digits only. Training amplifies such differences, so the two rows are the same
# experiment with other rounding. Both lie close to the edge of the grey band, one interval just inside, the other just
# across. A verdict depends on a threshold. Two rows on different sides of it need not differ; the difference *between*
# them says whether they do.

# %% [markdown] tags=["lang-ko"] english="e83881f9"
# 기울기는 마지막 자릿수에서만 다릅니다. 학습은 그런 차이를 키우므로, 두 행은 반올림만 다른 같은 실험입니다. 둘 다 회색
# 띠의 가장자리 가까이에 있어서, 한 구간은 겨우 안에 들고 다른 구간은 겨우 넘어갑니다. 판정은 임계값(threshold)에 달려
# 있습니다. 임계값의 양쪽에 있다고 해서 두 행이 꼭 다른 것은 아닙니다. 다른지는 두 행 *사이의* 차이가 말해 줍니다.

# %% [markdown]
# ## 8. Will it hit your network? A map
#
# Rare labels have a longer way down. Smaller steps fill the layer more gently. A wide layer pulls an output down
# faster, because more units pull at once. A normalised layer does not fill. So base rate, learning rate, width and kind
# of hidden layer should decide. The tiny network is small enough to try many points. This figure shows the race itself:

# %% [markdown] tags=["lang-ko"] english="59f0ed95"
# ## 8. 여러분의 신경망도 겪을까요? 지도로 봅니다
#
# 드문 레이블일수록 내려갈 길이 깁니다. 갱신이 작으면 은닉층이 더 천천히 찹니다. 넓은 은닉층은 여러 유닛이 한꺼번에
# 당기므로 출력을 더 빨리 내립니다. 정규화된 은닉층은 가득 차지 않습니다. 그러니 기저율, 학습률, 은닉층의 너비와 종류가
# 결과를 가를 것입니다. 이 작은 신경망은 많은 지점을 시험해 볼 수 있을 만큼 작습니다. 다음 그림은 경주 자체를 보여
# 줍니다.

# %%
from lm_utils.lessons import multi_class_map as race_map
from lm_utils.runs import race

probes = race.read()
show(race_map.race_figure(probes))

# %% [markdown]
# Ten labels that are each true for half of the images start where they should end, and no unit gets stuck. At one tenth
# the layer is full before the outputs arrive. With LayerNorm the outputs go down as far, but no unit gets stuck. Now
# the map. Each number counts seeds:

# %% [markdown] tags=["lang-ko"] english="60b9bd5b"
# 레이블 열 개가 저마다 이미지의 절반에서 참이면 출력은 끝나야 할 자리에서 출발하고, 어떤 유닛도 끝에 붙지 않습니다.
# 10분의 1에서는 출력이 도착하기 전에 은닉층이 가득 찹니다. LayerNorm이 있으면 출력은 그만큼 내려가지만 유닛은 끝에
# 붙지 않습니다. 이제 지도입니다. 칸마다 적힌 숫자는 시드의 수입니다.

# %%
maps = {kind: race.read(kind) for kind in race_map.MAPPED}
show(race_map.map_figure(maps))

# %% [markdown]
# In the rows of learning rates read each panel from the lower left, where labels are common and steps small, to the
# upper right. In the rows of hidden units wide layers stand at the top. A dark field is a network that has learnt
# nothing when its probe ends and whose hidden units are stuck. Right of the blue line half of the units are stuck
# before the outputs arrive: there the race foretells a collapse. Line and dark fields agree in most places, not
# everywhere. A layer that is only half full can come back, and ReLU units that are stuck at 0 leave the others free.

# %% [markdown] tags=["lang-ko"] english="65dad389"
# 학습률의 줄에서는 작은 그림마다, 레이블이 흔하고 갱신이 작은 왼쪽 아래에서 오른쪽 위로 읽으세요. 은닉 유닛의
# 줄에서는 넓은 은닉층이 위에 있습니다. 어두운 칸은 시험(probe)이 끝날 때까지 아무것도 배우지 못했고 은닉
# 유닛이 끝에 붙어 버린 신경망입니다. 파란 선의 오른쪽에서는 출력이 도착하기 전에 유닛의 절반이 끝에 붙습니다.
# 거기서는 경주가 붕괴를 예고합니다. 선과 어두운 칸은 대부분의 자리에서 들어맞지만 모든 자리에서 그런 것은
# 아닙니다. 반쯤만 찬 은닉층은 되돌아올 수 있고, 0에 붙은 ReLU 유닛은 다른 유닛을 막지 않습니다.

# %%
table = race_map.probes_table(maps)
bare = table[table["hidden"].isin(["sigmoid", "tanh"])]
pd.crosstab([bare["network"], bare["first"]], bare["ends"])

# %% [markdown]
# What had we written down before? The maps grew in steps. First came the map of the tiny network, then that of the
# documents' CNN on the same digits, with ten times smaller steps and at most eight epochs (the lower half of the
# figure). Then both were made whole: with a base rate of 0.01, a tenth of the usual learning rate, and other widths for
# all four layers. In most of its probes with the smallest steps the documents' CNN had not decided after eight epochs,
# so those with a sigmoid or tanh were trained for forty. Each expectation was written down before its runs:

# %% [markdown] tags=["lang-ko"] english="a03db52b"
# 미리 무엇을 적어 두었을까요? 지도는 몇 단계에 걸쳐 커졌습니다. 먼저 작은 신경망의 지도가 나왔고, 그다음 같은 숫자
# 이미지를 학습한 문서의 CNN의 지도가 나왔습니다. 갱신의 크기는 10분의 1이고, 길어야 8에포크입니다(그림의 아래쪽 절반).
# 그다음 두 지도를 모두 채웠습니다. 기저율 0.01, 평소 학습률의 10분의 1, 그리고 네 은닉층 모두의 다른 너비를 더했습니다.
# 갱신이 가장 작을 때 문서의 CNN은 여덟 에포크 뒤에도 대부분 결판이 나지 않았습니다. 그래서 시그모이드와 tanh는 마흔
# 에포크까지 학습시켰습니다. 예상은 모두 그 실행 전에 적어 둔 것입니다.

# %%
long_runs = [{**run, "ends": race.outcome(run), "lost": race.outcome(run) == "collapses"}
             for run in read_lines(race.FOLDER / "slow.jsonl")]  # fmt: skip
race_map.expectations_table(table, pd.DataFrame(long_runs))

# %% [markdown]
# *The tiny network.* Two failed: the sigmoid layer collapses at a base rate of 0.2, too, in most probes, and a tanh
# collapses less often than a sigmoid. The last one was only just true. The few collapses of the ReLU layer stand at a
# base rate of one half, with the largest steps; the race says nothing about them. (Labels rarer than one tenth come
# from images that show no digit.)
#
# *The documents' CNN.* All came true. At the same multiple of the usual learning rate both networks end alike at nearly
# every point: it is the map of the mechanism, not of one network. Two things differ. With a tanh the border of the
# documents' CNN lies a little further towards common labels. And where 256 units save the tiny network at every base
# rate down to 0.02, they save the documents' CNN only at base rates of 0.2 and more.
#
# *What was added.* Four failed, and they say something that we did not know. **Small steps alone do not save a sigmoid
# layer.** With a tenth of its learning rate the tiny network still collapses where labels are rare. The documents' CNN
# takes long to decide: after forty epochs no run with a sigmoid has learnt at a base rate of 0.1 or less, and more than
# four of five hidden units are stuck. A tanh layer fills up only in part and comes back; nearly all of its runs learn.
# And at a base rate of 0.01 one probe with 256 sigmoid units collapses, where none did at 0.02.
#
# How firm is the border? In each line of the tiny network's map we took the last base rate at which most probes learn
# and the next one, at which most collapse. Both were trained three times as long as a probe, on four fresh seeds. We
# expected nine of ten runs to learn on the common side, and four of five to collapse on the rare one.

# %% [markdown] tags=["lang-ko"] english="a6e1c0a3"
# *작은 신경망.* 둘이 빗나갔습니다. 시그모이드 은닉층은 기저율 0.2에서도 대부분 붕괴하고, tanh는 시그모이드보다 덜
# 붕괴합니다. 마지막 예상은 겨우 맞았습니다. ReLU 은닉층의 몇 안 되는 붕괴는 갱신이 가장 클 때 기저율 2분의 1에서
# 일어났고, 경주는 그것을 설명하지 못합니다. (10분의 1보다 드문 레이블은 숫자가 없는 이미지를 섞어서 만듭니다.)
#
# *문서의 CNN.* 모두 맞았습니다. 평소 학습률의 같은 배수에서 두 신경망은 거의 모든 지점에서 똑같이 끝납니다. 이것은 한
# 신경망의 지도가 아니라 이 메커니즘의 지도입니다. 다른 점은 둘입니다. tanh에서는 문서의 CNN의 경계가 흔한 레이블 쪽으로
# 조금 더 나아가 있습니다. 그리고 유닛 256개는 작은 신경망을 기저율 0.02까지 어디서나 구하지만, 문서의 CNN은 기저율이
# 0.2 이상일 때만 구합니다.
#
# *나중에 더한 것.* 넷이 빗나갔고, 우리가 몰랐던 것을 알려 줍니다. **갱신을 작게 하는 것만으로는 시그모이드 은닉층을
# 구하지 못합니다.** 학습률이 평소의 10분의 1이어도 작은 신경망은 레이블이 드문 곳에서 여전히 붕괴합니다. 문서의 CNN은
# 결판이 나는 데 오래 걸립니다. 마흔 에포크 뒤에도 기저율이 0.1 이하이면 시그모이드 실행은 하나도 학습하지 못했고, 은닉
# 유닛은 다섯 가운데 넷 넘게 끝에 붙어 있습니다. tanh 은닉층은 일부만 찼다가 되돌아오며, 거의 모든 실행이 학습합니다.
# 그리고 기저율 0.01에서는 시그모이드 유닛 256개의 시험 하나가 붕괴하는데, 0.02에서는 하나도 붕괴하지 않았습니다.
#
# 경계는 얼마나 분명할까요? 작은 신경망의 지도에서 줄마다, 시험이 대부분 학습하는 마지막 기저율과 대부분 붕괴하는
# 그다음 기저율을 골랐습니다. 둘 다 새로운 시드 네 개로 시험보다 세 배 오래 학습시켰습니다. 흔한 쪽에서는 열 번에 아홉
# 번 학습하고, 드문 쪽에서는 다섯 번에 네 번 붕괴하리라고 예상했습니다.

# %%
full, sides = read_lines(race.FOLDER / "border.jsonl"), race.border(maps[race.Point])
sides = {"common side (most probes learnt)": sides[::2], "rare side (most probes collapsed)": sides[1::2]}
ends = pd.DataFrame([
    {"side": side, "lr": point.lr, "ends": race.outcome(run), "learns late": (run["learnt"] or 0) > race.EPOCHS}
    for side, points in sides.items() for point in points for run in race.at(full, point)
])  # fmt: skip
lost = ends.groupby("side")["ends"].apply(lambda end: (end == "collapses").mean()).tolist()
assert lost[0] <= 0.1 and 0.4 < lost[1] < 0.66 and (ends[ends["learns late"]]["lr"] < 0.01).mean() > 0.8
pd.crosstab(ends["side"], ends["ends"]).join(ends.groupby("side")["learns late"].sum())

# %% [markdown]
# The common side is as firm as expected, the rare side is not: more than a third of its runs learn. Nearly all of those
# that needed the longer training take smaller steps than usual; there a probe is short. With the usual steps the border
# itself is broad, and beside it the seed decides.
# [Notebook 17](17_at_work.ipynb), part 7, goes on to a hundred and a thousand classes.
#
# Probe a point of your own. It takes seconds:

# %% [markdown] tags=["lang-ko"] english="0e67ce88"
# 흔한 쪽은 예상만큼 분명하지만 드문 쪽은 그렇지 않습니다. 그쪽 실행의 3분의 1보다 많은 수가 학습합니다. 더 긴 학습이
# 필요했던 것은 거의 모두 갱신이 평소보다 작은 실행입니다. 거기서는 시험이 짧습니다. 평소 크기로 갱신하면 경계 자체가
# 넓고, 그 옆에서는 시드가 결정합니다. 클래스가 백 개, 천 개일 때는 [노트북 17](17_at_work.ipynb)의 7부에서 이어집니다.
#
# 여러분이 고른 지점을 시험해 보세요. 몇 초면 됩니다.

# %%
point = race.Point(rate=0.05, lr=0.01, width=256, hidden="sigmoid")  # hidden: sigmoid, tanh, relu or layernorm
# the documents' CNN, somewhat slower: point = race.DocumentsPoint(rate=0.05, lr=0.001, width=64, hidden="sigmoid")
run = race.probe(point, seed=0)
print(f"{point}: {race.outcome(run)}")
print(f"outputs near the base rate after {race.steps_to_rate(run)} steps, half of the units stuck after"
      f" {race.steps_to_stuck(run)}")  # fmt: skip

# %% [markdown]
# ## 9. Every pairing
#
# The grid shows every loss with every output activation, all on the same few seeds (an illustration, no verdicts).
# Brightness shows progress: a dark cell is no better than the constant answer, the brightest is a perfect one. Grey
# cells stop with an error.

# %% [markdown] tags=["lang-ko"] english="eed973c0"
# ## 9. 모든 조합
#
# 이 격자는 손실 함수와 출력층 활성화 함수의 모든 조합을 같은 몇 개의 시드로 보여 줍니다(예시일 뿐 판정은 아닙니다).
# 밝기는 얼마나 나아졌는지를 보여 줍니다. 어두운 칸은 상수 답보다 나을 것이 없고, 가장 밝은 칸은 완벽한 답입니다. 회색
# 칸은 오류로 멈춥니다.

# %%
show(result_figures.grid_heatmap("multiclass"))

# %% [markdown]
# Look for `nn.BCEWithLogitsLoss` without an activation. It is ten sigmoids with `nn.BCELoss` in other words, and it
# fails in the same way. Now look at the squared error without an activation. It asks ten separate questions, too, and
# it learns. The push of part 5 would explain this: these outputs start near 0, close to the one tenth that they should
# reach, while sigmoids start at one half. Finally, the ReLU column has figures in the middle. How many digits do these
# networks never name?

# %% [markdown] tags=["lang-ko"] english="33535137"
# 활성화 함수 없이 쓴 `nn.BCEWithLogitsLoss`를 찾아보세요. 시그모이드 열 개에 `nn.BCELoss`를 쓴 것과 같은 말이고,
# 실패하는 방식도 같습니다. 이제 활성화 함수 없는 제곱 오차를 보세요. 여기서도 질문 열 개를 따로따로 던지는데
# 학습합니다. 5부의 미는 힘으로 설명할 수 있습니다. 이 출력들은 0 근처에서 출발하므로 도착해야 할 10분의 1에서 멀지
# 않지만, 시그모이드는 2분의 1에서 출발합니다. 마지막으로 ReLU 열에는 중간쯤 되는 값들이 있습니다. 이 신경망들이 한
# 번도 답하지 않는 숫자는 몇 개일까요?

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
# 모든 이미지에서 0인 출력은 기울기도 0입니다. 죽은 출력이고, 그 출력이 맡은 숫자는 잃어버립니다. 나머지 출력은 계속
# 학습합니다.
#
# 아래의 선택기(picker)는 조합이 무엇을 뜻하는지 설명하고, 원하면 그 자리에서 학습시킵니다.

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
# **연습 2.** 시그모이드가 기저율 `rate`에서 출발하게 하는 출력층 편향을 돌려주는 함수를 작성하세요. 위의 첫 번째 해결
# 방법입니다.

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
# **Exercise 3.** This set-up collapses. Repair it: change or add one line, but keep the loss, the ten sigmoids and the
# number of epochs. The network's parts are `model.fc`, `model.hidden` (a function) and `model.out`. There is more than
# one way.

# %% [markdown] tags=["lang-ko"] english="18eab716"
# **연습 3.** 이 설정은 붕괴합니다. 한 줄을 바꾸거나 더해서 고치세요. 단, 손실 함수와 시그모이드 열 개, 에포크 수는
# 그대로 두어야 합니다. 신경망의 부분은 `model.fc`, `model.hidden`(함수), `model.out`입니다. 방법은 하나가 아닙니다.


# %%
def repaired(model):
    torch.nn.init.zeros_(model.out.bias)
    return torch.optim.AdamW(model.parameters(), lr=0.01)


# %% tags=["solution"]
def repaired(model):
    torch.nn.init.constant_(model.out.bias, math.log(0.1 / 0.9))
    return torch.optim.AdamW(model.parameters(), lr=0.01)


# %%
lesson.check_repair(repaired, digits)

# %% [markdown]
# ## Summary
#
# - With ten classes, the pairings that couple the classes (softmax before any of the losses) end close together. Check
#   whether their paired differences lie inside the band. A small difference may be real and still not matter.
# - Ten sigmoids with BCE or MSE collapse here. The reason is neither the loss nor missing competition, because both are
#   still there after the repairs. The reason is a push on the outputs that all images share. It fills the sigmoid
#   hidden layer before the outputs have reached their base rate: part 5 counts the batches of that race. (With the
#   squared error a ReLU hidden layer loses runs, too.)
# - The effect can be switched off (output bias at the prior, removed push, LayerNorm) and on (added push, a bad start
#   of the bias), each in a few lines.
# - Rare labels, large steps and a narrow sigmoid or tanh layer make it likely; common labels, a wide layer or a
#   normalisation make it unlikely.
# - Softmax twice costs little accuracy here. It shows in the floor of the loss. On other data it can cost far more
#   ([notebook 16](16_on_new_data.ipynb)).
#
# **Next:** [12 Multi-label classification](12_multi_label.ipynb), where softmax itself is the misfit.

# %% [markdown] tags=["lang-ko"] english="82adcef1"
# ## 요약
#
# - 클래스가 열 개일 때, 클래스들을 묶어 주는 조합(어느 손실 함수든 그 앞에 소프트맥스가 있는 것)은 결과가 서로
#   가깝습니다. 짝지은 차이가 띠 안에 드는지 보세요. 작은 차이는 실제로 있더라도 중요하지 않을 수 있습니다.
# - 여기서 시그모이드 열 개는 BCE나 MSE와 만나면 붕괴합니다. 그 이유는 손실 함수도 아니고 경쟁이 없어서도 아닙니다. 둘
#   다 해결한 뒤에도 그대로 남아 있기 때문입니다. 이유는 모든 이미지가 함께 출력을 미는 힘입니다. 그 힘은 출력이
#   기저율에 이르기 전에 시그모이드 은닉층을 가득 채웁니다. 그 경주가 배치 몇 개 만에 끝나는지는 5부에서 셉니다. (제곱
#   오차에서는 ReLU 은닉층도 몇 번의 실행을 잃습니다.)
# - 이 효과는 끌 수도 있고(출력층 편향을 기저율에 맞추기, 미는 힘 빼기, LayerNorm) 켤 수도 있습니다(미는 힘 더하기,
#   편향을 나쁜 값에서 출발시키기). 모두 코드 몇 줄입니다.
# - 드문 레이블, 큰 갱신, 좁은 시그모이드나 tanh 은닉층에서는 일어나기 쉽고, 흔한 레이블, 넓은 은닉층, 정규화에서는
#   일어나기 어렵습니다.
# - 소프트맥스를 두 번 쓰면 여기서는 정확도가 별로 떨어지지 않고 손실의 하한에 그 흔적이 드러납니다. 다른 데이터에서는
#   훨씬 더 많이 잃을 수 있습니다([노트북 16](16_on_new_data.ipynb)).
#
# **다음:** [12 다중 레이블 분류](12_multi_label.ipynb). 거기서는 소프트맥스 자체가 맞지 않는 선택입니다.
