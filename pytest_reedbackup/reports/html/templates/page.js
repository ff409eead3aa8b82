"use strict";
const byId = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const make = (tag, text = "", fields = {}) =>
  Object.assign(document.createElement(tag), { textContent: text }, fields);
const say = (text) => { byId("said").textContent = text; };

/* Filter: what does not fit is hidden, in every part. */
const fields = ["words", "outcome", "group", "held"].map(byId);
const [words, outcome, group, held] = fields;
const items = all(".item");
const texts = new WeakMap();
const textOf = (item) => {
  if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
  return texts.get(item);
};
const has = (list, value) => !value || list.split(" ").includes(value);
function fits(item, sought) {
  const data = item.dataset;
  return has(data.o, outcome.value) && has(data.g, group.value) &&
    (!held || !data.i || has(data.i, held.value)) &&
    sought.every((word) => textOf(item).includes(word));
}
function filter() {
  const sought = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of items) item.hidden = !fits(item, sought);
  const isSought = fields.some((field) => field?.value);
  for (const rest of all(".rest")) if (isSought) rest.open = true;
  for (const part of all("section")) {
    const none = part.querySelector(".none");
    if (none) none.hidden = !part.querySelector(".item") || !!part.querySelector(".item:not([hidden])");
  }
  const cases = all(".case");
  const left = cases.filter((item) => !item.hidden).length;
  byId("count").textContent = left === cases.length ? `${left} cases` : `${left} of ${cases.length} cases`;
}
function choose(values) {
  for (const field of fields) if (field) field.value = values[field.id] ?? "";
  filter();
}
for (const field of fields) field?.addEventListener("input", filter);

/* Links to a case open it; a cell of the matrix shows its cases. */
function open(id) {
  const target = byId(id);
  if (!target?.matches("details")) return;
  if (target.hidden) choose({});
  for (let each = target; each; each = each.parentElement.closest("details")) each.open = true;
  target.scrollIntoView({ block: "start" });
  target.querySelector("summary").focus();
}
addEventListener("hashchange", () => open(location.hash.slice(1)));
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#case-']");
  const cell = event.target.closest("a.cell");
  const button = event.target.closest("button.copy");
  if (link && link.hash === location.hash) open(link.hash.slice(1));
  if (cell) choose({ words: cell.dataset.rule, held: cell.dataset.held });
  if (button) copy(button);
});

/* Copy: where the clipboard is not allowed, by a selection. */
async function copy(button) {
  const code = button.parentElement.querySelector("code");
  let done = true;
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    done = document.execCommand("copy");
  }
  button.textContent = done ? "copied" : "press Ctrl-C";
  say(button.textContent);
  setTimeout(() => { button.textContent = "copy"; }, 1500);
}

/* Keys: / searches, j and k go on and back, Enter opens (the browser's own), Esc closes. */
const stops = () => all(".item:not([hidden]) > summary, .item:not([hidden]) .strip button[tabindex='0']");
function step(by) {
  const list = stops();
  let at = list.indexOf(document.activeElement);
  if (at < 0 && by < 0) at = list.length;
  const next = list[at + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
function escape() {
  const active = document.activeElement;
  const point = active?.closest(".point") ?? active?.closest(".sweep")?.querySelector(".point:not([hidden])");
  const details = active?.closest("details[open]");
  if (active === words && words.value) choose({});
  else if (active === words) words.blur();
  else if (point) closePoint(point);
  else if (details) {
    details.open = false;
    details.querySelector("summary").focus();
  } else choose({});
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return escape();
  if (event.target.matches("input, select, textarea")) return;
  if (event.key === "/") {
    event.preventDefault();
    words.focus();
  } else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
});

/* Strips: a sign becomes a button when its strip comes near the window. */
let known = null;
const points = () => (known ??= JSON.parse(byId("points").textContent));
const text = (number) => points().texts[number];
function fill(strip) {
  const signs = [...strip.textContent];
  if (!signs.length || strip.dataset.filled) return;
  strip.dataset.filled = "yes";
  const first = Math.max(signs.indexOf("X"), 0);
  const data = points().strips[strip.dataset.strip];
  strip.replaceChildren(...signs.map((sign, place) => {
    const button = make("button", sign, { type: "button", tabIndex: place === first ? 0 : -1 });
    button.ariaLabel = button.title = `${text(data[place][0])}: ${points().signs[sign]}`;
    if (sign === "X") button.className = "broken";
    return button;
  }));
}
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) fill(entry.target);
}, { rootMargin: "600px" });
for (const strip of all(".strip")) {
  near.observe(strip);
  strip.addEventListener("click", (event) => {
    if (event.target.matches("button")) show(strip, event.target);
  });
  strip.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = by && (by > 0 ? event.target.nextElementSibling : event.target.previousElementSibling);
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

/* One point: what was injected, what came of it, the trace, the folder. */
const STYLES = { broken: "fail", stood: "pass" };
function side(line, className, tag) {
  const cell = make("pre", "", { className, role: "cell" });
  /* Pieces by turns: as it should be, then what differs. */
  (line ?? []).forEach((piece, place) => cell.append(place % 2 ? make(tag, text(piece)) : text(piece)));
  return cell;
}
function difference(rows) {
  const all = make("div", "", { className: "difference", role: "table", ariaLabel: "Expected and found" });
  const heads = make("div", "", { className: "pair heads", role: "row" });
  heads.append(...["expected", "found"].map((head) => make("b", head, { role: "columnheader" })));
  all.append(heads);
  for (const [expected, found] of rows) {
    const pair = make("div", "", { className: "pair", role: "row" });
    if (typeof expected === "number") {
      pair.classList.add("skipped");
      pair.append(make("span", `… ${expected} lines the same`, { role: "cell" }));
    } else {
      if (String(expected) === String(found)) pair.classList.add("same");
      pair.append(side(expected, "expected", "ins"), side(found, "found", "del"));
    }
    all.append(pair);
  }
  return all;
}
function folderDifference([against, lines]) {
  if (!lines.length) return [make("p", `The folder as found differs in nothing from ${text(against)}.`)];
  const label = "What is missing in the folder and what is too much";
  const list = make("pre", "", { className: "lines", ariaLabel: label });
  for (const line of lines.map(text)) {
    list.append(make("span", line, { className: { "-": "gone", "+": "extra" }[line[0]] ?? "" }), "\n");
  }
  return [make("h4", `The folder as found, against ${text(against)}`), list];
}
function moment([kind, path, when, detail, sides, trace, kept, folder]) {
  const at = [path, when].filter((each) => each !== undefined).map(text).filter(Boolean).join(", ");
  const parts = [make("p", at ? ` ${at}` : "")];
  parts[0].prepend(make("span", text(kind), { className: `mark ${STYLES[text(kind)] ?? ""}` }));
  if (detail === undefined) return parts;
  parts.push(make("p", text(detail), { className: "detail" }));
  parts.push(difference(points().differences[sides]));
  if (trace.length) parts.push(make("h4", "System calls around it"), make("pre", trace.map(text).join("\n")));
  if (folder) parts.push(...folderDifference(folder));
  if (text(kept)) {
    const list = make("dl");
    list.append(make("dt", "as found"), make("dd", text(kept)));
    parts.push(list);
  }
  return parts;
}
function quote(word) {
  return /^[\w@%+=:,.\/#-]+$/.test(word) && !word.startsWith("#") ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
function show(strip, button) {
  const panel = strip.closest(".sweep").querySelector(".point");
  const number = strip.dataset.strip;
  const [id, ...moments] = points().strips[number][[...strip.children].indexOf(button)];
  const command = make("div", "", { className: "command" });
  const code = `${text(points().repeats[number])} --reedbackup-point=${quote(text(id))}`;
  command.append(
    make("span", "repeat", { className: "label" }), make("code", code),
    make("button", "copy", { className: "copy", type: "button", ariaLabel: "Copy the command" }));
  panel.replaceChildren(make("h4", text(id)), ...moments.toSorted((one, other) => other.length - one.length).flatMap(moment), command);
  panel.hidden = false;
  panel.opener = button;
  for (const other of all("[aria-pressed]")) other.removeAttribute("aria-pressed");
  button.ariaPressed = "true";
  say(`${button.ariaLabel}, shown below`);
}
function closePoint(panel) {
  panel.hidden = true;
  panel.opener.removeAttribute("aria-pressed");
  panel.opener.focus();
}

/* Print: what is wrong is printed in full, whatever is open on the screen. */
let closed = [];
addEventListener("beforeprint", () => {
  closed = all("#wrong details.cause:not([open])");
  for (const item of closed) item.open = true;
});
addEventListener("afterprint", () => { for (const item of closed) item.open = false; });

filter();
open(location.hash.slice(1));
