// The page: reads the settings, then page after page of images.

import { GalleryError, readConfig, readPage } from "./api.js";
import { emptyTiles, tile } from "./grid.js";
import { showNotice } from "./notice.js";
import { addTo, noTotals, showTotals } from "./totals.js";
import { language, say } from "./words.js";

const place = (id) => document.getElementById(id);
const images = place("images");
const skeleton = place("skeleton");
const notice = place("notice");
const more = place("more");

let config = null;
let cursor = null;
let totals = noTotals;

async function load() {
  // The button that was pressed may go away under the reader's hands: the focus then goes on to what came instead.
  const pressed = document.activeElement === more || notice.contains(document.activeElement);
  notice.hidden = true;
  setBusy(true);
  try {
    config ??= await readConfig();
    const first = show(await readPage(config.api, cursor));
    if (pressed && document.activeElement !== more) first.focus();
  } catch (error) {
    if (!(error instanceof GalleryError)) throw error;
    more.hidden = true;
    const retry = showNotice(notice, error.kind, load);
    if (pressed) retry.focus();
  } finally {
    setBusy(false);
  }
}

/** Adds a page and gives back where in the grid it begins: its first link. */
function show(page) {
  const tiles = page.images.map((image) => tile(image, config.pictures));
  images.append(...tiles);
  cursor = page.cursor;
  more.hidden = !cursor;
  totals = addTo(totals, page.images);
  if (totals.images) showTotals(place("totals"), place("share"), totals, !cursor);
  else showNotice(notice, "empty");
  return tiles[0]?.querySelector("a[href]") ?? images;
}

function setBusy(busy) {
  const first = images.childElementCount === 0;
  skeleton.replaceChildren(...(busy && first ? emptyTiles(24) : []));
  images.ariaBusy = String(busy);
  more.ariaDisabled = String(busy);
  more.textContent = busy ? say("loading") : say("more");
}

function speak() {
  document.documentElement.lang = language;
  document.title = say("title");
  images.ariaLabel = say("images");
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word);
}

speak();
more.addEventListener("click", () => more.ariaDisabled === "true" || load());
load();
