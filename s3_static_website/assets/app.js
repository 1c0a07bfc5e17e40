// The page: what the route asks for, page after page, and one image large.

import { GalleryError, readConfig, readImage, readPage, readStats } from "./api.js";
import { place } from "./elements.js";
import { count } from "./format.js";
import { emptyTiles } from "./grid.js";
import { hideImage, isOpen, showBeside, showImage, showWaiting, startLightbox } from "./lightbox.js";
import { ImageList, linkBeside } from "./list.js";
import { keepLooking } from "./live.js";
import { showNotice } from "./notice.js";
import { comparison, questionOf, sortOf } from "./query.js";
import { closeImage, go, isNarrowed, onRoute, readRoute, sameList, widened } from "./route.js";
import { offer, showRoute, startToolbar } from "./toolbar.js";
import { showTotals } from "./totals.js";
import { language, say } from "./words.js";

const grid = place("images");
const skeleton = place("skeleton");
const notice = place("notice");
const more = place("more");
const arrived = place("arrived");
const status = place("status");
const list = new ImageList(grid);

let config = null;
let route = readRoute();
let requests = new AbortController();
let busy = false;
let failed = false;
let news = null;
let lastShown = null;
let seenTotals = "";

/** The first page of what the route lists. */
function begin() {
  requests.abort();
  requests = new AbortController();
  list.begin(route);
  notice.hidden = true;
  forgetNews();
  grid.classList.toggle("problems", route.view === "problems");
  busy = false;
  return load();
}

/** The next page. */
async function load() {
  if (busy || list.cursor === null) return;
  const { signal } = requests;
  setBusy(true);
  try {
    config ??= await readConfig();
    const page = await readPage(config.api, { ...questionOf(route), cursor: list.cursor }, { signal });
    // The button goes on below what comes: unseen, so that it does not jump.
    more.parentElement.classList.add("moving");
    const first = list.add(page, config);
    requestAnimationFrame(() => requestAnimationFrame(() => more.parentElement.classList.remove("moving")));
    // The button that was pressed may go away under the reader's hands: the focus then goes on to what came instead.
    const pressed = document.activeElement === more || notice.contains(document.activeElement);
    failed = false;
    notice.hidden = true;
    setBusy(false);
    if (pressed && document.activeElement !== more) (first?.querySelector("a") ?? grid).focus();
    showEnd();
  } catch (error) {
    if (signal.aborted) return;
    setBusy(false);
    showFailure(error, document.activeElement === more);
  }
}

function showEnd() {
  const here = comparison(route);
  const text = here ? say("sortedHere", { count: count(list.size) }) : "";
  place("sorted").textContent = list.cursor ? text : "";
  more.hidden = !list.cursor;
  if (list.size) status.textContent = say("found", { count: count(list.size) });
  else if (!list.cursor) showNothing();
  // Told anew what it sees, it goes on where the end is still in sight.
  atEnd.disconnect();
  if (list.cursor && !here) atEnd.observe(more.parentElement);
  // Its neighbours may just have come.
  if (list.image(route.image)) showBeside(besideOf(route.image));
}

function showNothing() {
  const onlyProblems = route.view === "problems" && !isNarrowed({ ...route, view: "" });
  const kind = onlyProblems ? "fine" : isNarrowed(route) ? "nothing" : "empty";
  showNotice(notice, kind, kind === "nothing" ? ["clear", () => go(widened(route))] : null);
  status.textContent = say(`${kind}Title`);
}

function showFailure(error, pressed = false) {
  if (!(error instanceof GalleryError)) throw error;
  failed = true;
  more.hidden = true;
  atEnd.disconnect();
  // A cursor that is refused, since the API is a newer one by now, stays so: the list begins anew.
  const retry = error.kind === "refused" && list.cursor ? begin : load;
  const button = showNotice(notice, error.kind, ["retry", retry]);
  if (pressed) button?.focus();
}

/** Where it had failed: what was said stays until there is something better to show. */
function recover() {
  if (list.cursor !== null) return load();
  failed = false;
  notice.hidden = true;
  return showEnd();
}

function setBusy(state) {
  busy = state;
  skeleton.replaceChildren(...(busy && list.size === 0 && notice.hidden ? emptyTiles(24) : []));
  grid.ariaBusy = String(busy);
  more.ariaDisabled = String(busy);
  more.textContent = busy ? say("loading") : say("more");
}

const atEnd = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && load(), {
  rootMargin: "0px 0px 1200px",
});

/** The image that the route names: out of the list, or asked for by itself. */
async function showOpen() {
  const key = route.image;
  const image = list.image(key) ?? (lastShown?.ImageID === key ? lastShown : null);
  if (image) return present(image);
  if (!isOpen()) showWaiting(key);
  try {
    config ??= await readConfig();
    const found = await readImage(config.api, key);
    if (route.image === key) present(list.image(key) ?? found);
  } catch (error) {
    if (!(error instanceof GalleryError)) throw error;
    if (route.image === key) showWaiting(key, error.kind, error.kind === "missing" ? null : ["retry", showOpen]);
  }
}

function present(image) {
  lastShown = image;
  showImage(image, config);
  showBeside(besideOf(image.ImageID));
  document.title = `${place("lightbox-title").textContent} – ${say("title")}`;
}

/** Whether there is an image before and after the one with `key`. */
function besideOf(key) {
  const after = list.beside(key, 1) || (list.image(key) && list.cursor);
  return [Boolean(list.beside(key, -1)), Boolean(after)];
}

async function step(by) {
  const key = route.image;
  if (by > 0 && !list.beside(key, by) && list.image(key)) await load();
  const image = list.beside(key, by);
  if (image && route.image === key) go({ image: image.ImageID }, { replace: true, inside: history.state?.inside });
}

function showClosed() {
  document.title = say("title");
  if (!isOpen()) return;
  hideImage();
  const link = list.link(lastShown?.ImageID);
  link?.scrollIntoView({ block: "nearest" });
  (link ?? grid).focus({ preventScroll: true });
}

function follow() {
  const before = route;
  route = readRoute();
  showRoute(route);
  if (!sameList(before, route)) {
    scrollTo({ top: 0, behavior: "instant" });
    begin();
  }
  if (route.image === before.image) return;
  if (route.image === null) showClosed();
  else showOpen();
}

/** Whether anything is new: totals always, images where the newest come first. */
async function look() {
  if (!config || busy) return false;
  const { signal } = requests;
  try {
    const changed = await lookAtTotals();
    if (failed) await recover();
    if (sortOf(route) !== "newest" || comparison(route) || list.cursor === undefined) return changed;
    const page = await readPage(config.api, questionOf(route), { signal, fresh: true });
    return receive(page) || changed;
  } catch (error) {
    if (signal.aborted || error instanceof GalleryError) return false;
    throw error;
  }
}

async function lookAtTotals() {
  const totals = await readStats(config.api, { fresh: true });
  const text = JSON.stringify(totals);
  if (text === seenTotals) return false;
  seenTotals = text;
  showTotals(totals);
  offer(totals);
  return true;
}

/** Take in what a look at the first page found: at once where nobody would lose their place, else when they ask. */
function receive(page) {
  const found = list.compare(page);
  if (!found.fresh.length && !found.gone.length) return forgetNews();
  // So much is new that there is a gap to what is loaded.
  const all = found.fresh.length > 0 && found.fresh.length === page.images.length && page.cursor !== null;
  news = { ...found, all };
  const undisturbed = scrollY < 8 && !isOpen() && !grid.contains(document.activeElement);
  if (undisturbed || !found.fresh.length || !list.size) takeNews();
  else offerNews(found.fresh.length);
  return true;
}

function takeNews() {
  const { all, ...found } = news;
  forgetNews();
  if (all || !list.size) return begin();
  list.update(found);
  notice.hidden = list.size > 0;
  if (!list.size) showEnd();
  status.textContent = say("found", { count: count(list.size) });
}

function offerNews(number) {
  arrived.textContent = `↑ ${number === 1 ? say("oneArrived") : say("arrived", { count: count(number) })}`;
  arrived.hidden = false;
}

function forgetNews() {
  news = null;
  arrived.hidden = true;
  return false;
}

function moveInGrid(event) {
  const link = event.target.closest?.("a.frame");
  if (!link || !event.key.startsWith("Arrow") || event.altKey || event.ctrlKey || event.metaKey) return;
  const other = linkBeside(link, event.key);
  if (!other) return;
  event.preventDefault();
  other.focus();
}

function openFromGrid(event) {
  const link = event.target.closest("a.frame");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go({ image: link.closest("li").dataset.key }, { inside: true });
}

function speak() {
  document.documentElement.lang = language;
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = say(element.dataset.label);
  for (const element of document.querySelectorAll("[data-hint]")) element.placeholder = say(element.dataset.hint);
}

speak();
startToolbar();
showRoute(route);
startLightbox({ close: closeImage, step });
onRoute(follow);
more.addEventListener("click", load);
arrived.addEventListener("click", () => {
  scrollTo({ top: 0, behavior: "instant" });
  takeNews();
  grid.querySelector("a.frame")?.focus();
});
document.querySelector("a.skip").addEventListener("click", (event) => {
  // What stands behind the # is the route, and not a place on the page.
  event.preventDefault();
  (grid.querySelector("a.frame") ?? grid).focus();
});
grid.addEventListener("keydown", moveInGrid);
grid.addEventListener("click", openFromGrid);
addEventListener("online", () => failed && recover());
addEventListener("offline", () => failed || showFailure(new GalleryError("offline")));
if (route.image !== null) showOpen();
begin().then(look);
keepLooking(look);
