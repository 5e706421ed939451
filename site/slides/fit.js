// Lets every slide fit into 1280 by 720, in the browser, which alone knows how tall a slide is: letters become a little
// smaller, or a figure stands beside its text, and what still does not fit goes on to a slide of its own.
"use strict";

const BOTTOM = 680; // nothing may end below this line
const LEAST = 0.6; // of its size has a figure at least
const SENTENCE = /[.!?:]["')]*(?=\s|$)/g;
const WHOLE = "p, li, tr, article, math, .figure, .question"; // is not parted

const start = (box, slide) => box.getBoundingClientRect().top - slide.getBoundingClientRect().top;
const end = (box, slide) => box.getBoundingClientRect().bottom - slide.getBoundingClientRect().top;
const fits = (slide) => slide.scrollHeight <= slide.clientHeight;
const partsOf = (slide) => [...slide.querySelectorAll(":scope > .part:not(.head)")];
const isOneSentence = (parts) => parts.every((part) => part.matches(".text, .words"))
  && (parts.map((part) => part.innerText).join("\n").match(SENTENCE) ?? []).length < 2;

/** A picture's size as it is meant: pictures have two pixels for one. */
function sizeOf(image) {
  const width = +(image.getAttribute("width") ?? image.naturalWidth);
  return { width, height: (width * image.naturalHeight) / image.naturalWidth };
}

/** Whether a class of the style sheet lets a slide fit, its figures still large enough to be read. */
function fitsAs(slide, ...names) {
  slide.classList.add(...names);
  const large = [...slide.querySelectorAll(".figure img")].every((image) => {
    const { width, height } = sizeOf(image);
    return Math.min(image.clientWidth / width, image.clientHeight / height) >= LEAST;
  });
  if (large && fits(slide)) return true;
  slide.classList.remove(...names);
  return false;
}

/** The first thing, in the order of reading, that ends below a line: something whole, or a line of code. */
function crossing(box, line, slide) {
  for (const child of box.children) {
    if (child.matches("aside, thead, caption, .head") || end(child, slide) <= line) continue;
    if (child.matches("pre")) return lineOfCode(child, line, slide);
    if (child.matches(WHOLE)) return [child];
    return crossing(child, line, slide) ?? [child];
  }
}

/** Where the first line of code begins that ends below a line, as a text and a place in it. */
function lineOfCode(pre, line, slide) {
  const texts = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT), range = document.createRange();
  let found = [texts.nextNode(), 0];
  for (let text = found[0]; text; text = texts.nextNode()) {
    for (let i = 0; i < text.length; i++) {
      if (text.data[i] === "\n") {
        found = [text, i + 1];
        continue;
      }
      range.setStart(text, i);
      range.setEnd(text, i + 1);
      if (end(range, slide) > line - 12) return found;
    }
  }
  return [pre];
}

/** Where a slide is best parted: between two parts, or within one that is taller than a slide, in pieces alike. */
function placeOf(slide) {
  const parts = partsOf(slide), first = start(parts[0], slide), room = BOTTOM - first;
  let beyond = parts.findIndex((part) => end(part, slide) > BOTTOM);
  if (beyond > 0 && parts[beyond].offsetHeight <= room) {
    if (isOneSentence(parts.slice(beyond)) && beyond > 1) beyond--;
    if (!isOneSentence(parts.slice(0, beyond))) return [parts[beyond]];
  }
  const tall = end(parts.at(-1), slide) - first, line = first + tall / Math.ceil(tall / room);
  const found = crossing(slide, line, slide);
  const fitting = found.length === 1 && end(found[0], slide) <= BOTTOM;
  return (fitting && crossing(slide, end(found[0], slide), slide)) || found;
}

/** Move what stands behind a place to a new slide with the same title and notes, and return that slide. */
function part(slide, [node, offset]) {
  const range = document.createRange(), notes = slide.querySelector("aside");
  while (offset === undefined && node.parentElement !== slide && !before(node)) node = node.parentElement;
  const table = node.parentElement.closest("table"), list = offset === undefined && node.matches("ol > li") && node;
  const number = list && (list.parentElement.start || 1) + [...list.parentElement.children].indexOf(list);
  offset === undefined ? range.setStartBefore(node) : range.setStart(node, offset);
  notes ? range.setEndBefore(notes) : range.setEndAfter(slide.lastChild);
  const next = slide.cloneNode(false), rest = range.extractContents();
  if (table) rest.querySelector("table").prepend(...[...table.querySelectorAll("caption, thead")].map((one) => one.cloneNode(true)));
  if (list) rest.querySelector("ol").start = number;
  next.append(slide.querySelector(".head").cloneNode(true), rest, ...(notes ? [notes.cloneNode(true)] : []));
  slide.after(next);
  return next;
}

/** What stands before a thing in its box, but for the head of a table. */
function before(node) {
  const other = node.previousElementSibling;
  return other?.matches("thead, caption, colgroup") ? null : other;
}

/** Whether anything stands on a slide before a place. */
function hasSomething(slide, [node, offset]) {
  const range = document.createRange();
  range.setStartAfter(slide.querySelector(".head"));
  offset === undefined ? range.setEndBefore(node) : range.setEnd(node, offset);
  return range.toString().trim() || range.cloneContents().querySelector("img");
}

/** Let a slide fit, and those that it is parted into. */
function fit(slide) {
  if (fits(slide)) return;
  slide.classList.add("usual"); // words alone have large letters
  if (fits(slide) || fitsAs(slide, "tight")) return;
  if (slide.querySelector(".figure") && (fitsAs(slide, "beside") || fitsAs(slide, "beside", "tight"))) return;
  const place = partsOf(slide).length && placeOf(slide);
  if (!place || !hasSomething(slide, place)) return; // one thing that is taller than a slide
  const next = part(slide, place);
  if (!fits(slide)) fitsAs(slide, "tight");
  fit(next);
}

/** Let every slide of the deck fit, as soon as its pictures and letters are there. */
async function fitAll() {
  await Promise.all([document.fonts.ready, ...[...document.images].map((image) => image.decode().catch(() => {}))]);
  for (const image of document.querySelectorAll(".figure img")) {
    image.parentElement.style.minHeight = `${0.65 * sizeOf(image).height}px`;
  }
  const deck = document.querySelector(".slides");
  deck.classList.add("measured");
  for (const stack of deck.children) stack.classList.add("stack");
  for (const slide of [...deck.querySelectorAll(":scope > section > section")]) fit(slide);
  deck.classList.remove("measured");
}
