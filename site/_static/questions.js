// Questions and votes of the notebooks. Without JavaScript a question is a list whose answer unfolds.
"use strict";

let asked = 0; // groups of radio buttons have names of their own

/**
 * Turn the items of a list into radio buttons, one Tab stop; `chosen` gets the text of the one that is picked. Arrow
 * keys walk through them and settle nothing (`walked` says so): Enter or Space does.
 */
function makeChoices(list, chosen, walked) {
  const name = `question-${++asked}`;
  let walking = false;
  const group = document.createElement("fieldset");
  group.className = "choices";
  const legend = document.createElement("legend");
  legend.textContent = "Your choice";
  group.append(legend);
  for (const item of list.querySelectorAll("li")) {
    const label = document.createElement("label");
    const radio = Object.assign(document.createElement("input"), { type: "radio", name, value: item.textContent });
    radio.addEventListener("click", () => (walking ? walked() : chosen(radio.value))); // arrow keys click, too
    label.append(radio, ...item.childNodes);
    group.append(label);
  }
  group.addEventListener("keydown", ({ key }) => {
    walking = key.startsWith("Arrow");
    const here = group.querySelector(":checked");
    if (key === "Enter" && here) chosen(here.value);
  });
  group.addEventListener("keyup", () => (walking = false));
  list.replaceWith(group);
  return group;
}

/** A line that is read out when it changes. */
function statusAfter(element) {
  const line = document.createElement("p");
  line.setAttribute("role", "status");
  element.after(line);
  return line;
}

/** A question with a folded answer: choose first, then the answer unfolds and says whether the choice was right. */
function makeQuestion(box) {
  const details = box.querySelector(":scope > details");
  const answer = details.querySelector("b").textContent;
  const group = makeChoices(box.querySelector(":scope > ul"), (choice) => {
    status.textContent = choice === answer ? `✓ Right: ${answer}` : `✗ You chose: ${choice}`;
    reading.hidden = false;
  }, () => (status.textContent = "Enter shows the answer."));
  const reading = document.createElement("div"); // folds no more
  reading.append(...[...details.childNodes].filter((node) => node.tagName !== "SUMMARY"));
  reading.hidden = true;
  details.replaceWith(reading);
  const status = statusAfter(group);
  status.textContent = "Choose, and the answer unfolds.";
}

/** A vote whose answer comes in a later notebook: it is kept in this browser. */
function makeVote(title) {
  const key = `loss-misuse-lab ${title.textContent}`;
  const keep = (choice) => {
    status.textContent = `Kept in this browser: ${choice}. Notebook 11 takes the case apart.`;
    try {
      localStorage.setItem(key, choice);
    } catch {
      status.textContent = `Your vote counts, but this browser keeps nothing; remember it: ${choice}.`;
    }
  };
  const group = makeChoices(title.nextElementSibling, keep, () => (status.textContent = "Enter votes."));
  const status = statusAfter(group);
  status.textContent = "Nothing chosen yet.";
  let before = null;
  try {
    before = localStorage.getItem(key);
  } catch {} // then nothing was kept
  for (const radio of group.querySelectorAll("input")) {
    if (radio.value !== before) continue;
    radio.checked = true;
    keep(before);
  }
}

for (const box of document.querySelectorAll(".cell_output div:has(> b):has(> ul):has(> details)")) makeQuestion(box);
for (const title of document.querySelectorAll(".cell_output p:has(+ ul)")) {
  if (title.firstElementChild?.textContent === "Vote.") makeVote(title);
}
