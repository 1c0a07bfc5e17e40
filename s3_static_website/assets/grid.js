// The tiles of the grid: an image with its caption, or a quiet card for one that could not be processed.

import { make } from "./elements.js";
import { bytes, bytesFromTo, change } from "./format.js";
import { hashOf } from "./route.js";
import { blur } from "./thumbhash.js";
import { pictureUrl } from "./urls.js";
import { dropVariants, withVariants } from "./variants.js";
import { advice, reason, say } from "./words.js";

// Tiles keep between these shapes. A little beyond them an image loses its edges, far beyond it is shown whole inside.
const NARROWEST = 0.65;
const WIDEST = 2.2;
const CUT = 1.3;
const CARD = 1.8;
// Thumbnails are 256 pixels at most. Images far below that are shown at their own size, not blown up.
const SMALL = 160;
// About how high tiles are, for browsers that do not take the width of an image from the page.
const ROW = "14rem";

/** The list item for one record; its link leads to the image, in `route`. */
export function tile(image, config, route) {
  const failed = isProblem(image);
  const link = make("a", { className: failed ? "frame problem" : "frame", href: hashOf({ ...route, image: image.ImageID }) });
  link.append(...(failed ? problem(image) : picture(image, config)));
  const item = make(
    "li",
    { className: "tile", style: `--ratio: ${failed ? CARD : frameRatio(image)}` },
    link,
    make("div", { className: "caption" }, name(image), saving(image), facts(image)),
  );
  item.dataset.key = image.ImageID;
  return item;
}

/** Empty tiles of likely shapes, for the time before the first page has come. */
export function emptyTiles(number) {
  const shapes = [1.5, 0.75, 1.33, 1.78, 1, 1.5];
  return Array.from({ length: number }, (_, at) =>
    make("li", { className: "tile", style: `--ratio: ${shapes[at % shapes.length]}` }, make("div", { className: "frame" })),
  );
}

export const isProblem = (image) => image.Outcome === "FAILED";

export const codeOf = (image) => (typeof image.ErrorCode === "string" ? image.ErrorCode : "FAILED");

/** Width by height; that of a card where the record does not say. */
export function ratio({ PixelWidth: width, PixelHeight: height }) {
  return width > 0 && height > 0 ? width / height : CARD;
}

const frameRatio = (image) => Math.min(Math.max(ratio(image), NARROWEST), WIDEST).toFixed(4);

function picture(image, config) {
  const url = pictureUrl(image.ThumbnailURL, config);
  if (!url) return [noPicture(image)];
  const kind = fit(image);
  const placeholder = kind ? null : blur(image.Placeholder);
  const shown = make("img", { alt: image.ImageID, loading: "lazy", decoding: "async", className: kind });
  shown.addEventListener("load", () => {
    shown.classList.add("here");
    // Once the image covers it: where that is transparent, nothing shall shine through.
    if (placeholder) setTimeout(() => placeholder.remove(), 500);
  });
  shown.addEventListener("error", () => {
    // Between reading the list and reading the image, its outputs may have been replaced.
    if (dropVariants(shown)) return;
    placeholder?.remove();
    shown.replaceWith(noPicture(image));
  });
  // Last, so that whatever the browser has in its cache meets the listeners.
  const variants = { sizes: `auto, calc(${frameRatio(image)} * ${ROW})`, also: ["thumbnail"] };
  const parts = kind === "small" ? shown : withVariants(shown, image, config, variants);
  shown.src = url;
  return placeholder ? [placeholder, parts] : [parts];
}

function fit(image) {
  if (Math.max(image.PixelWidth, image.PixelHeight) < SMALL) return "small";
  return ratio(image) < NARROWEST / CUT || ratio(image) > WIDEST * CUT ? "whole" : "";
}

function noPicture(image) {
  return make("span", { className: "none" }, say("noPicture"), make("span", { className: "unseen" }, ` ${image.ImageID}`));
}

function problem(image) {
  const code = codeOf(image);
  return [
    make("span", { className: "unseen" }, image.ImageID),
    make("strong", {}, code),
    make("span", {}, reason(code)),
    make("span", { className: "advice" }, advice(code)),
  ];
}

function name(image) {
  const key = visible(image.ImageID);
  const cut = key.lastIndexOf("/", key.length - 2) + 1;
  // Isolated, so that a name written from right to left turns nothing else around.
  return make(
    "div",
    { className: "name", title: key },
    cut ? make("bdi", { className: "folder" }, key.slice(0, cut)) : null,
    make("bdi", { className: "file" }, key.slice(cut)),
  );
}

function facts(image) {
  return make("div", { className: "facts" }, dimensions(image), sizes(image));
}

function dimensions({ PixelWidth: width, PixelHeight: height }) {
  if (!(width > 0 && height > 0)) return null;
  return make("span", {}, say("dimensions", { width, height }));
}

function sizes({ OriginalBytes: before, CompressedBytes: after }) {
  if (!(before >= 0)) return null;
  return make("span", {}, after >= 0 ? bytesFromTo(before, after) : bytes(before));
}

function saving({ SavedPercent: percent }) {
  if (!Number.isFinite(percent)) return null;
  return make("div", { className: percent >= 0.5 ? "change saving" : "change" }, change(percent));
}

/** A name as it is: line breaks and the like as their pictures, marks that reverse the writing as what they are, odd. */
export const visible = (text) =>
  text
    .replace(/[\u0000-\u001f]/g, (character) => String.fromCharCode(0x2400 + character.charCodeAt(0)))
    .replace(/[\u007f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
