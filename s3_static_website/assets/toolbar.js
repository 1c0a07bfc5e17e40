// Search, filters and order: controls that show the route and change it.

import { place } from "./elements.js";
import { bytes, count, monthName } from "./format.js";
import { SIZES, SORTS, sortOf } from "./query.js";
import { go, readRoute } from "./route.js";
import { say } from "./words.js";

const PAUSE_MS = 180;
let typing = 0;
const search = place("q");
const selects = ["format", "month", "size", "sort"].map((name) => place(name));
const views = [...document.querySelectorAll("input[name=view]")];

/** Let the controls change the route. `search`: as one types, in one step of the history. */
export function startToolbar() {
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      typing = 0;
      go({ q: search.value, image: null }, { replace: Boolean(readRoute().q) });
    }, PAUSE_MS);
  });
  for (const select of selects) select.addEventListener("change", () => go({ [select.id]: select.value }));
  for (const radio of views) radio.addEventListener("change", () => go({ view: radio.value }));
  place("filters").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("keydown", focusSearch);
  fillFixed();
}

/** Show what the route says. */
export function showRoute(route) {
  // Not while somebody types: the route follows a moment later.
  if (!typing && search.value !== route.q) search.value = route.q;
  for (const radio of views) radio.checked = radio.value === route.view;
  for (const select of selects) {
    const value = select.id === "sort" ? sortOf(route) : route[select.id];
    if (value && ![...select.options].some((option) => option.value === value)) select.add(new Option(value, value));
    select.value = value;
    select.classList.toggle("set", select.id !== "sort" && Boolean(value));
  }
}

/** Offer the formats and months that there are, and say how many problems. */
export function offer({ formats, months, problems }) {
  fill("format", "anyFormat", Object.keys(formats ?? {}).sort().map((name) => [name, name]));
  fill("month", "anyMonth", Object.keys(months ?? {}).sort().reverse().map((name) => [name, monthName(name)]));
  const number = place("problems");
  number.textContent = problems ? count(problems) : "";
  number.hidden = !problems;
  showRoute(readRoute());
}

function fillFixed() {
  fill("format", "anyFormat", []);
  fill("month", "anyMonth", []);
  fill("size", "anySize", Object.entries(SIZES).map(([name, [least, most]]) => [name, sizeName(least, most)]));
  place("sort").replaceChildren(...SORTS.map((name) => new Option(say(`sort_${name}`), name)));
}

function fill(id, any, entries) {
  const select = place(id);
  const values = ["", ...entries.map(([value]) => value)];
  // A list that somebody has open is not torn from under them to offer the same.
  if (select.options.length === values.length && values.every((value, at) => select.options[at].value === value)) return;
  select.replaceChildren(new Option(say(any), ""), ...entries.map(([value, text]) => new Option(text, value)));
}

function sizeName(least, most) {
  if (!least) return say("sizeBelow", { size: bytes(most) });
  return most ? `${bytes(least)} – ${bytes(most)}` : say("sizeAbove", { size: bytes(least) });
}

function focusSearch(event) {
  const elsewhere = event.target.closest?.("input, select, textarea, dialog");
  if (event.key !== "/" || elsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  search.select();
}
