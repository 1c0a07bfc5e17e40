// The tiles of the grid: an image with its caption, or a quiet card for one that could not be processed.

import { make } from "./elements.js";
import { bytes, bytesFromTo, change } from "./format.js";
import { pictureUrl } from "./urls.js";
import { reason, say } from "./words.js";

// Tiles keep between these shapes. A little beyond them an image loses its edges, far beyond it is shown whole inside.
const NARROWEST = 0.65;
const WIDEST = 2.2;
const CUT = 1.3;
const CARD = 1.45;
// Thumbnails are 256 pixels at most. Images far below that are shown at their own size, not blown up.
const SMALL = 160;

/** The list item for one record; `pictures` is the address under which its pictures must lie. */
export function tile(image, pictures) {
  const failed = image.Outcome === "FAILED";
  return make(
    "li",
    { className: "tile", style: `--ratio: ${failed ? CARD : frameRatio(image)}` },
    failed ? problem(image) : picture(image, pictures),
    make("div", { className: "caption" }, name(image), saving(image), facts(image)),
  );
}

/** Empty tiles of likely shapes, for the time before the first page has come. */
export function emptyTiles(number) {
  const shapes = [1.5, 0.75, 1.33, 1.78, 1, 1.5];
  return Array.from({ length: number }, (_, at) =>
    make("li", { className: "tile", style: `--ratio: ${shapes[at % shapes.length]}` }, make("div", { className: "frame" })),
  );
}

function ratio({ PixelWidth: width, PixelHeight: height }) {
  return width > 0 && height > 0 ? width / height : CARD;
}

const frameRatio = (image) => Math.min(Math.max(ratio(image), NARROWEST), WIDEST).toFixed(4);

function picture(image, pictures) {
  const thumbnail = pictureUrl(image.ThumbnailURL, pictures);
  const whole = pictureUrl(image.CompressedURL, pictures);
  const frame = make("a", { className: "frame" });
  if (whole) Object.assign(frame, { href: whole, target: "_blank", rel: "noopener noreferrer" });
  if (thumbnail) frame.append(thumbnailImage(image, thumbnail, frame));
  else frame.append(noPicture());
  return frame;
}

function thumbnailImage(image, url, frame) {
  const shown = make("img", { alt: keyOf(image), loading: "lazy", decoding: "async", className: fit(image) });
  if (frame.href) shown.alt = say("opens", { key: keyOf(image) });
  shown.addEventListener("load", () => shown.classList.add("here"));
  shown.addEventListener("error", () => shown.replaceWith(noPicture()));
  // Last, so that whatever the browser has in its cache meets the listeners.
  shown.src = url;
  return shown;
}

function fit(image) {
  if (Math.max(image.PixelWidth, image.PixelHeight) < SMALL) return "small";
  return ratio(image) < NARROWEST / CUT || ratio(image) > WIDEST * CUT ? "whole" : "";
}

const noPicture = () => make("span", { className: "none" }, say("noPicture"));

function problem(image) {
  const code = typeof image.ErrorCode === "string" ? image.ErrorCode : "FAILED";
  return make("div", { className: "frame problem" }, make("strong", {}, code), make("p", {}, reason(code)));
}

function name(image) {
  const key = visible(keyOf(image));
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

const keyOf = (image) => String(image.ImageID ?? "");

/** A name as it is: line breaks and the like as their pictures, marks that reverse the writing as what they are, odd. */
const visible = (text) =>
  text
    .replace(/[\u0000-\u001f]/g, (character) => String.fromCharCode(0x2400 + character.charCodeAt(0)))
    .replace(/[\u007f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
