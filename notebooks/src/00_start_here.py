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
# - describe a case in which one word of code decides whether a network learns;
# - name the loss and the output activation that fit each of five tasks;
# - look up a verdict on any pairing of task, loss and activation, and the reason for it;
# - choose your way through the course.
#
# **Time:** {time}
#
# **Covers:** document 000, section 1 (the table); document 001, section 1 (the table)
#
# Run every cell with Shift+Enter, or all of them with *Run → Run All Cells*.

# %% [markdown] tags=["lang-ko"] english="9c4a1f6c"
# # 00 여기서 시작합니다: 두 스크립트와 한 번의 투표
#
# 이 노트북을 마치면 다음을 할 수 있습니다.
#
# - 코드의 단어 하나가 신경망이 학습하느냐 못 하느냐를 가르는 사례를 설명할 수 있습니다.
# - 다섯 가지 과제(task) 각각에 맞는 손실 함수(loss function)와 출력층 활성화 함수(output activation)를 말할 수
#   있습니다.
# - 과제, 손실 함수, 활성화 함수를 어떻게 조합하든 그 판정(verdict)과 이유를 찾아볼 수 있습니다.
# - 이 강의를 어떤 순서로 따라갈지 고를 수 있습니다.
#
# **시간:** {time}
#
# **범위:** 문서 000의 1절(표), 문서 001의 1절(표)
#
# 셀은 Shift+Enter로 하나씩 실행하거나 *Run → Run All Cells* 메뉴로 한꺼번에 실행합니다.
#
# > 이 노트북은 한국어판입니다. 설명은 모두 한국어이고 코드는 [영어판](../00_start_here.ipynb)과 똑같습니다. 위젯, 표,
# > 그림과 코드의 출력에는 영어가 나옵니다. 투표와 예측 질문은 그 위의 설명 셀에 보기까지 우리말로 옮겨 두었습니다.
# > 질문 열 개는 아직 영어로만 나옵니다. 한국어판이 아직 없는 노트북으로 가는 링크는 영어판으로 이어집니다.

# %% tags=["parameters"]
data = "auto"
seeds = 3
device = "auto"

# %% [markdown]
# This cell imports the tools and prints a line that says which images and which device are in use here.

# %% [markdown] tags=["lang-ko"] english="84e74bb1"
# 필요한 도구를 불러옵니다. 여기서 쓰는 이미지와 장치를 알려 주는 줄도 함께 나옵니다.

# %%
import torch
from IPython.display import Markdown
from torch import nn

import lm_utils as lm
from lm_utils.lessons import start_here as lesson
from lm_utils.lessons import start_here_scripts as scripts
from lm_utils.lessons import ten_questions
from lm_utils.show import quiz
from lm_utils.show.banner import banner
from lm_utils.workshop import check

banner(data, device)

# %% [markdown]
# ## 1. Which script learns?
#
# Two colleagues train the same network to read handwritten digits, with the same images, the same optimiser and the
# same loss. (The targets are rows with a 1 at the right digit and 0 elsewhere.) Their scripts differ in **one word**: A
# ends with softmax, B ends with sigmoid. Neither colleague gets an error or a warning.
#
# The network is a small one, so that it trains in a second or two on the embedded digits. The documents' network is
# twenty times as large; notebook 11 shows the same case there. Both have a hidden layer of sigmoids.

# %% [markdown] tags=["lang-ko"] english="2005b0c0"
# ## 1. 어느 스크립트가 학습할까요?
#
# 동료 두 사람이 손글씨 숫자를 읽는 똑같은 신경망을 학습시킵니다. 이미지도, 옵티마이저(optimizer)도, 손실 함수도
# 같습니다. (정답은 맞는 숫자 자리만 1이고 나머지는 0인 원-핫 벡터(one-hot vector)입니다.) 두 스크립트는 **단 한
# 단어**만 다릅니다. A는 소프트맥스(softmax)로 끝나고, B는 시그모이드(sigmoid)로 끝납니다. 어느 쪽에서도 오류나 경고가
# 나지 않습니다.
#
# 여기서는 내장된 숫자 이미지로 1~2초면 학습이 끝나는 작은 신경망을 씁니다. 문서의 신경망은 스무 배쯤 큽니다. 노트북
# 11에서는 같은 사례를 그 신경망으로 봅니다. 두 신경망 모두 은닉층(hidden layer)에 시그모이드를 씁니다.
#
# > **투표: 스크립트 B는 왜 학습하지 못할까요?**
# >
# > - 시그모이드 출력은 합이 1이 아니어서, 그중 가장 큰 값에 아무 의미가 없다
# > - 시그모이드로는 서로 배타적인 열 개의 클래스를 표현할 수 없다
# > - 클래스가 열 개일 때 이진 교차 엔트로피(binary cross-entropy, BCE)는 잘못된 손실 함수다
# > - 학습 초반 몇 번의 갱신(step)에서 무언가 잘못되고, 그 뒤로 회복하지 못한다
# > - 더 오래 기다리면 학습할 것이다

# %%
splits = lm.load_data("digits", seed=0)
guess = lm.TASKS["multiclass"].baseline(splits.train.digits, splits.valid.digits)
ballot = lesson.Vote(
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
# Press **Train**: both networks really train on your machine. One of the two scripts does not learn. Why? There are
# many plausible explanations. Choose the one you believe. Your vote is kept on this machine and comes back in notebook
# 15, which settles the question; before that, notebook 11 takes the case apart. The answer is *not* given here.

# %% [markdown] tags=["lang-ko"] english="384e4440"
# **Train** 버튼을 누르면 여러분의 컴퓨터에서 두 신경망을 실제로 학습시킵니다. 둘 중 하나는 학습하지 못합니다. 왜
# 그럴까요? 그럴듯한 설명은 많습니다. 맞다고 생각하는 것을 하나 골라 보세요. 여러분의 투표는 이 컴퓨터에 저장되었다가
# 노트북 15에서 결론과 함께 다시 나옵니다. 그에 앞서 노트북 11에서는 이 사례를 낱낱이 뜯어봅니다. 답은 여기서 알려
# 드리지 *않습니다*.

# %%
opened = scripts.ColdOpen(splits, guess, ballot, device)
opened

# %% [markdown]
# One curve climbs; the other lies on the dotted line. Script B answers as if it had never seen an image. The next cell
# takes the best epoch of each network and tests it on images that neither has seen. (If you have not pressed Train, it
# trains both first.)

# %% [markdown] tags=["lang-ko"] english="a9931b76"
# 한 곡선은 올라가고, 다른 곡선은 점선에 딱 붙어 있습니다. 스크립트 B는 이미지를 한 번도 본 적이 없는 것처럼
# 답합니다. 다음 셀은 두 신경망의 가장 좋았던 에포크(epoch)를 골라, 둘 다 본 적 없는 이미지로 테스트합니다. (Train을
# 누르지 않았다면 먼저 학습부터 합니다.)

# %%
runs = opened.runs
assert runs["A"].test_metric > 0.8 and runs["B"].test_metric < 0.3
Markdown(
    f"Script A: **{runs['A'].test_metric:.1%}** of {len(splits.test):,} test images right. "
    f"Script B: **{runs['B'].test_metric:.1%}**. Always saying the same digit: {guess:.1%}."
)

# %% [markdown]
# ### What do you know already?
#
# If you like, unfold ten questions and answer them before anything has been explained; say each time how sure you are.
# No answer is shown here. [Notebook 15](15_verdicts.ipynb) asks the same questions again and shows what has changed.

# %% [markdown] tags=["lang-ko"] english="ab148c20"
# ### 이미 얼마나 알고 있나요?
#
# 원한다면 질문 열 개를 펼치고 설명을 읽기 전에 답해 보세요. 답할 때마다 얼마나 확신하는지도 고르세요. 여기서는 답을
# 알려 주지 않습니다. [노트북 15](15_verdicts.ipynb)에서 같은 질문을 다시 하고 무엇이 달라졌는지 보여 줍니다.

# %%
ten_questions.before()

# %% [markdown]
# ## 2. What fits what
#
# This course grew out of five written documents, numbered 000 to 004. You need not have read them: the course tells you
# what they say where you need it. Documents 000 and 001 ask this question for five tasks, and so does this course. A
# network may look at the same image and answer with a number, with one probability, with one of two classes, with one
# of ten classes, or with several labels at once. Document 000 recommends a loss for each task, document 001 an output
# activation. The table below puts both together, checked against the rules that this course uses for its own verdicts.

# %% [markdown] tags=["lang-ko"] english="27e77be6"
# ## 2. 무엇에 무엇이 맞을까요?
#
# 이 강의는 000부터 004까지 번호를 붙인 문서 다섯 편에서 출발했습니다. 읽지 않았어도 괜찮습니다. 문서에 무엇이 쓰여
# 있는지는 필요한 곳에서 알려 드립니다. 문서 000과 001은 다섯 가지 과제를 놓고 이 질문을 던지고, 이 강의도
# 마찬가지입니다. 같은 이미지 한 장을 보고도 신경망은 숫자 하나를 답할 수도 있고(회귀, regression), 확률 하나를 답할
# 수도 있고(확률 예측, probability prediction), 두 클래스 중 하나를 고를 수도 있고(이진 분류, binary), 열 클래스 중
# 하나를 고를 수도 있고(다중 클래스 분류, multi-class), 여러 레이블에 한꺼번에 답할 수도 있습니다(다중 레이블 분류,
# multi-label). 문서 000은 과제마다 손실 함수를, 문서 001은 출력층 활성화 함수를 권합니다. 둘을 합친 뒤 이 강의가
# 판정에 쓰는 규칙으로 다시 확인한 표가 아래에 있습니다.

# %%
fits = lesson.fitting_table()
fits[["task", "loss", "output activation", "loss in PyTorch"]]

# %% [markdown]
# Two things in this table surprise many people. First, "Softmax, inside the loss" means that `nn.CrossEntropyLoss`
# applies softmax *itself*, so the network must end without one. Second, several rows fit one task: a task has a family
# of fitting losses, not a single right one. (Huber comes from document 002.) "On logits" means on the raw outputs of
# the network, before any activation. Document 001 also allows ReLU for regression where values are never negative;
# notebook 04 shows what that risks.

# %% [markdown] tags=["lang-ko"] english="8f64ef18"
# 이 표에는 많은 사람이 놀라는 점이 두 가지 있습니다. 첫째, 표의 "Softmax, inside the loss"는 소프트맥스가 손실 함수
# 안에 들어 있다는 뜻입니다. 곧 `nn.CrossEntropyLoss`가 소프트맥스를 *직접* 적용하므로 신경망은 소프트맥스 없이 끝나야
# 합니다. 둘째, 한 과제에 여러 행이 있습니다. 과제마다 맞는 손실 함수는 하나가 아니라 여럿입니다. (Huber 손실은 문서
# 002에서 가져왔습니다.) "On logits"의 로짓(logit)은 활성화 함수를 거치기 전, 신경망이 내놓은 값 그대로를 뜻합니다.
# 문서 001은 값이 음수가 되지 않는 회귀라면 ReLU도 쓸 수 있다고 합니다. 그때 어떤 위험이 따르는지는 노트북 04에서 보여
# 드립니다.
#
# > **먼저 예측해 보세요.** 신경망이 nn.Softmax로 끝나고, 그 출력이 소프트맥스를 한 번 더 적용하는
# > nn.CrossEntropyLoss로 들어갑니다. 어떤 일이 일어날까요?
# >
# > - PyTorch가 오류를 낸다
# > - 아무 경고 없이 학습된다
# > - 학습은 되지만 가장 큰 출력의 클래스가 바뀐다

# %%
quiz.predict(
    "A network ends with nn.Softmax, and its outputs go into nn.CrossEntropyLoss, which applies softmax again. "
    "What happens?",
    options=[
        "PyTorch raises an error", "it trains, without any warning", "it trains, but another class wins than before",
    ],
    answer="it trains, without any warning",
    reading="The largest output stays the largest, so accuracy may look fine; the loss can never reach 0, and its "
    "gradient is smaller. Notebook 06 measures it.",
)  # fmt: skip

# %% [markdown]
# ### Every combination has a verdict
#
# Pick a task, a loss and an output activation. The map shows the verdict on *all* pairings of that task and puts a
# frame around yours. The text says what the loss gets to see, and why that is good or bad. (For regression, targets are
# standardised.) Look for the pairing of script B.

# %% [markdown] tags=["lang-ko"] english="2f769dd3"
# ### 모든 조합에는 판정이 있습니다
#
# 과제, 손실 함수, 출력층 활성화 함수를 하나씩 골라 보세요. 지도는 그 과제의 *모든* 조합에 대한 판정을 보여 주고,
# 여러분이 고른 조합에는 테두리를 두릅니다. 설명은 손실 함수가 무엇을 받게 되는지, 그것이 왜 좋거나 나쁜지 알려 줍니다.
# (회귀에서는 정답을 표준화해서 씁니다.) 스크립트 B의 조합을 찾아보세요.
#
# > 화면에 나오는 판정은 네 가지입니다. recommended는 권장, workable은 쓸 수 있음, handicapped는 불리함,
# > impossible은 불가능입니다.

# %%
lesson.verdict_lab()

# %% [markdown]
# For classes and for labels, notice how few pairings are impossible: 2 of 32 for each of these tasks. (For a number, or
# for one probability, there are more.) Most misfits in these tasks *work to some degree*, and that makes them
# dangerous: nothing crashes, the loss falls, and something is lost that no error message mentions.
#
# **Exercise 1.** An app puts tags on photographs: "dog" and "cat". A photograph may get both tags, or none. Which of
# the five tasks is that? Answer with one of `"regression"`, `"probability"`, `"binary"`, `"multiclass"`,
# `"multilabel"`.

# %% [markdown] tags=["lang-ko"] english="19706d31"
# 클래스나 레이블을 묻는 과제에서는 불가능한 조합이 과제마다 32개 가운데 2개뿐입니다. (숫자나 확률 하나를 묻는 과제에는
# 더 많습니다.) 그런 과제에서는 맞지 않는 조합도 대부분 *어느 정도는* 돌아갑니다. 그래서 위험합니다. 프로그램은 멈추지
# 않고, 손실은 줄어들고, 어떤 오류 메시지도 말해 주지 않는 무언가를 잃어버립니다.
#
# **연습 1.** 어떤 앱이 사진에 '개', '고양이' 태그를 붙입니다. 둘 다 붙을 수도 있고 하나도 안 붙을 수도 있습니다. 다섯
# 가지 과제 중 어느 것일까요? `"regression"`, `"probability"`, `"binary"`, `"multiclass"`, `"multilabel"` 중
# 하나로 답하세요.

# %%
my_task = ...

# %% tags=["solution"]
my_task = "multilabel"

# %% [markdown]
# Run the next cell to check it.

# %% [markdown] tags=["lang-ko"] english="b643b2f5"
# 다음 셀을 실행하면 답이 맞는지 확인할 수 있습니다.

# %%
quiz.check(
    my_task,
    expected="multilabel",
    mistakes={
        "multiclass": "Classes exclude each other; here both tags may be right.",
        "binary": "Dog or not is one question, cat or not is another one; both may be true.",
        "probability": "One output cannot carry two answers.",
    },
    hint="Can two answers be true at once?",
)

# %% [markdown]
# **Exercise 2.** The script below sorts ten kinds of flowers, each of which is easy to tell from the others. Its loss
# should come close to 0. It stays at 1.46, however long it trains. Edit the script until it works; keep
# `nn.CrossEntropyLoss`. The answer is in the table above.

# %% [markdown] tags=["lang-ko"] english="c11b4c43"
# **연습 2.** 아래 스크립트는 서로 쉽게 구별되는 꽃 열 종류를 분류합니다. 손실이 0에 가까워져야 하는데, 아무리 오래
# 학습시켜도 1.46에 머뭅니다. 제대로 돌아갈 때까지 스크립트를 고쳐 보세요. `nn.CrossEntropyLoss`는 그대로 두세요. 답은
# 위의 표에 있습니다.


# %%
def script():
    torch.manual_seed(0)
    flowers, kinds = torch.eye(10), torch.arange(10)
    model = nn.Sequential(nn.Linear(10, 10), nn.Softmax(dim=1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(flowers), kinds)
        loss.backward()
        optimizer.step()
    return loss.item()


script()


# %% tags=["solution"]
def script():
    torch.manual_seed(0)
    flowers, kinds = torch.eye(10), torch.arange(10)
    model = nn.Sequential(nn.Linear(10, 10))  # no softmax: it is inside the loss
    optimizer = torch.optim.Adam(model.parameters(), lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(flowers), kinds)
        loss.backward()
        optimizer.step()
    return loss.item()


script()

# %% [markdown]
# Edit the script, run its cell, and then this one:

# %% [markdown] tags=["lang-ko"] english="44c6d3b4"
# 스크립트를 고치고 그 셀을 실행한 다음, 아래 셀을 실행하세요.

# %%
quiz.check_script(
    script,
    works=lambda loss: 0 <= loss < 0.01,
    broken=1.46116,
    tolerance=1e-4,
    mistakes=[
        ("NLLLoss", "NLLLoss expects logarithms of probabilities. Keep nn.CrossEntropyLoss."),
        ("MSELoss", "That is another loss. Keep nn.CrossEntropyLoss."),
        ("igmoid", "A sigmoid also keeps the numbers that the loss sees between 0 and 1, as softmax did."),
        ("ReLU", "ReLU cuts off every negative number, and the loss needs them."),
    ],
    hint="Which activation lives inside nn.CrossEntropyLoss?",
)

# %% [markdown]
# ## 3. The map
#
# Notebooks 01 to 07 are the theory: losses, activations, and how the experiments are made. Notebooks 08 to 12 take one
# task each and try every loss and activation on it. 13 shows how to notice a misfit in your *own* model, 14 is a
# playground for your experiments, and 15 gives a verdict on every claim of the documents. 16 asks again with new data,
# and 17 answers what comes up at work.

# %% [markdown] tags=["lang-ko"] english="415e8246"
# ## 3. 강의 지도
#
# 노트북 01부터 07까지는 이론입니다. 손실 함수와 활성화 함수, 그리고 실험을 어떻게 하는지를 다룹니다. 08부터
# 12까지는 과제를 하나씩 맡아 모든 손실 함수와 활성화 함수를 시험합니다. 13은 *여러분 자신의* 모델에서 맞지 않는
# 조합을 알아채는 법을 보여 주고, 14는 마음껏 실험하는 놀이터이며, 15는 문서의 모든 주장에 판정을 내립니다. 16은 새
# 데이터로 다시 묻고, 17은 실무에서 생기는 물음에 답합니다.

# %%
lesson.course_map()

# %% [markdown]
# ### Three ways through
#
# Choose between a lesson of 50 minutes with a projector, a week of evenings alone, and a course of two days:

# %% [markdown] tags=["lang-ko"] english="b27f2dc3"
# ### 세 가지 길
#
# 프로젝터를 쓰는 50분 수업, 일주일 동안 저녁마다 혼자 하는 공부, 이틀짜리 강좌 중에서 고르세요.

# %%
lesson.course_path("One lesson", {"00": 12, "14": 8, "11": 20, "13": 10})

# %% [markdown]
# The number after each notebook is its time in minutes. In a lesson, show this notebook's two scripts, let everybody
# vote, train one preset in the playground, walk through the figures of notebook 11, and end with two cases for the
# doctor in 13. The exercises are homework.

# %% [markdown] tags=["lang-ko"] english="4d4735f5"
# 노트북 이름 뒤의 숫자는 그 노트북에 쓰는 시간(분)입니다. 수업에서는 이 노트북의 두 스크립트를 보여 주고, 모두에게
# 투표하게 하고, 놀이터인 14에서 프리셋(preset) 하나를 학습시켜 보고, 노트북 11의 그림을 차례로 훑은 다음, 13에서
# 닥터(doctor)에게 두 가지 사례를 물어보며 마무리하세요. 연습 문제는 숙제로 냅니다.

# %%
lesson.course_path("Self-study", ["00", "01", "04", "05", "06", "11", "13"])

# %% [markdown]
# If you study alone, choose the theory that you will use next week, one task in depth, and the notebook that helps you
# debug.

# %% [markdown] tags=["lang-ko"] english="4076c84f"
# 혼자 공부한다면 다음 주에 쓸 이론, 깊이 들여다볼 과제 하나, 그리고 디버깅을 도와줄 노트북을 고르세요.

# %%
lesson.course_path("Two days", ["00", "01", "02", "03", "04", "05", "06", "07", "11", "13", "14", "15"])

# %% [markdown]
# Two days have room for the theory on the first day, and for experiments and verdicts on the second. Each group takes
# one of the five tasks, 08 to 12; the sum counts notebook 11.

# %% [markdown] tags=["lang-ko"] english="a999e2d8"
# 이틀이면 첫날은 이론, 둘째 날은 실험과 판정을 다룰 시간이 있습니다. 조마다 08부터 12까지의 과제 중 하나를 맡습니다.
# 합계에는 노트북 11을 넣었습니다.

# %% [markdown]
# ## 4. What this machine has
#
# A "problem" stops something from working, and says what to do. A "note" is good to know. Everything in this course
# runs without a graphics card and without a network.

# %% [markdown] tags=["lang-ko"] english="a53606d0"
# ## 4. 이 컴퓨터에는 무엇이 있을까요?
#
# "problem"은 무언가가 돌아가지 못하게 막는 문제로, 무엇을 해야 하는지도 함께 알려 줍니다. "note"는 알아 두면 좋은
# 정보입니다. 이 강의의 모든 내용은 그래픽 카드나 네트워크 없이도 돌아갑니다.

# %%
problems = check.main()

# %% [markdown]
# ## Summary
#
# - One word decided between a network that reads digits and one that guesses. You voted on the reason.
# - Every task has fitting losses and activations. The table above is the one to remember.
# - Most misfits raise no error. So it pays to know what fits, and how to notice what does not.
#
# The next notebook looks at the losses one by one: [01 Losses](01_losses.ipynb).

# %% [markdown] tags=["lang-ko"] english="383fb5e1"
# ## 요약
#
# - 단어 하나가 숫자를 읽는 신경망과 찍기만 하는 신경망을 갈랐습니다. 여러분은 그 이유에 투표했습니다.
# - 과제마다 맞는 손실 함수와 활성화 함수가 있습니다. 꼭 기억할 것은 위의 표입니다.
# - 맞지 않는 조합은 대부분 오류를 내지 않습니다. 그래서 무엇이 맞는지 알아 두고, 맞지 않는 것을 알아채는 법을 익혀
#   두면 도움이 됩니다.
#
# 다음 노트북에서는 손실 함수를 하나씩 살펴봅니다: [01 손실 함수](01_losses.ipynb).
