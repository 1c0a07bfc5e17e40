// One image, large, with all that is known of it. The browser's own dialog keeps the focus inside and closes on Esc.

import { make, place } from "./elements.js";
import { bytes, change, moment } from "./format.js";
import { codeOf, isProblem, ratio, visible } from "./grid.js";
import { noticeParts } from "./notice.js";
import { pictureUrl } from "./urls.js";
import { dropVariants, resize, variantsInWords, widest, withVariants } from "./variants.js";
import { advice, reason, say } from "./words.js";

const SWIPE = 50;

const dialog = place("lightbox");
const stage = place("stage");
const facts = place("facts");
const title = place("lightbox-title");
const previous = place("previous");
const next = place("next");
const download = place("download");

// Called when there is more room for the image, or less.
let fit = () => {};

/** `close` and `step` (which takes −1 or 1) are called when the reader asks for it. */
export function startLightbox({ close, step }) {
  place("close").addEventListener("click", close);
  previous.addEventListener("click", () => step(-1));
  next.addEventListener("click", () => step(1));
  place("copy").addEventListener("click", copyLink);
  // Esc: the address has to follow, so that the back button and a reload agree with what is seen.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener("click", (event) => event.target === stage && close());
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && !event.altKey && !event.ctrlKey && !event.metaKey) step(by);
  });
  followSwipes(step);
  new ResizeObserver(() => fit()).observe(stage);
}

export const isOpen = () => dialog.open;

export function showImage(image, config) {
  const problem = isProblem(image);
  fit = () => {};
  frame(image.ImageID);
  stage.replaceChildren(problem ? card(image) : picture(image, config));
  facts.replaceChildren(...rows(image, config).flatMap(row));
  const address = problem ? null : pictureUrl(image.CompressedURL, config);
  download.hidden = !address;
  if (address) Object.assign(download, { href: address, download: fileName(image.ImageID, address) });
}

/** Show that the image `key` is on its way, or the notice `kind` in its place. */
export function showWaiting(key, kind = null, action = null) {
  frame(key);
  showBeside([false, false]);
  const parts = kind ? noticeParts(kind, action) : [make("p", {}, say("loading"))];
  stage.replaceChildren(make("section", { className: "notice" }, ...parts));
  facts.replaceChildren(...row(["factKey", visible(key)]));
  download.hidden = true;
}

export function hideImage() {
  dialog.close();
  stage.replaceChildren();
}

/** Offer to go on to the images before and after this one, as far as there are any. */
export function showBeside([before, after]) {
  // Not `disabled`: the focus would be lost when the last image is reached with the button.
  previous.ariaDisabled = String(!before);
  next.ariaDisabled = String(!after);
}

function frame(key) {
  title.textContent = visible(key.slice(key.lastIndexOf("/", key.length - 2) + 1));
  place("announcement").textContent = "";
  if (!dialog.open) dialog.showModal();
}

function picture(image, config) {
  const box = make("div", { className: "picture", style: `--ratio: ${ratio(image)}; --width: ${widthOf(image)}` });
  const [thumbnail, whole] = [image.ThumbnailURL, image.CompressedURL].map((text) => pictureUrl(text, config));
  if (thumbnail) box.append(make("img", { className: "before", alt: "", src: thumbnail }));
  if (!whole) return thumbnail ? box : make("p", { className: "none" }, say("noPicture"));
  const shown = make("img", { className: "whole", alt: image.ImageID, decoding: "async" });
  shown.addEventListener("load", () => box.classList.add("here"));
  shown.addEventListener("error", () => dropVariants(shown) || box.replaceWith(make("p", { className: "none" }, say("noPicture"))));
  const sizes = () => `${Math.ceil(shownWidth(image))}px`;
  const enough = () => neededWidth(image) <= widest(image, config);
  box.append(enough() ? withVariants(shown, image, config, { sizes: sizes(), also: ["compressed"] }) : shown);
  fit = () => (enough() ? resize(shown, sizes()) : dropVariants(shown));
  shown.src = whole;
  return box;
}

/** Pixels of the page across the image, where the stylesheet lets it have as much of the stage as it can use. */
function shownWidth(image) {
  return Math.min(stage.clientWidth, stage.clientHeight * ratio(image), image.PixelWidth > 0 ? image.PixelWidth : Infinity);
}

/** Pixels across of an image that is as sharp as the screen, or as the original. */
function neededWidth(image) {
  return Math.min(shownWidth(image) * devicePixelRatio, image.PixelWidth > 0 ? image.PixelWidth : Infinity);
}

const widthOf = ({ PixelWidth: width }) => (width > 0 ? `${width}px` : "100vw");

function card(image) {
  const code = codeOf(image);
  return make(
    "section",
    { className: "notice" },
    make("h2", {}, reason(code)),
    make("p", {}, advice(code)),
    make("code", {}, code),
  );
}

function rows(image, config) {
  const { PixelWidth: width, PixelHeight: height, OriginalBytes: before, CompressedBytes: after } = image;
  return [
    ["factCode", isProblem(image) ? codeOf(image) : null],
    ["factDimensions", width > 0 && height > 0 ? say("dimensions", { width, height }) : null],
    ["factFormat", text(image.ImageFormat)],
    ["factBefore", before >= 0 ? bytes(before) : null],
    ["factAfter", after >= 0 ? bytes(after) : null],
    ["factVariants", variantsInWords(image, config)],
    ["factSaved", Number.isFinite(image.SavedPercent) ? change(image.SavedPercent) : null],
    ["factTaken", image.TakenAt ? moment(image.TakenAt) : null],
    ["factCamera", text(image.CameraModel)],
    ["factProcessed", image.ProcessedAt ? moment(image.ProcessedAt) : null],
    ["factKey", visible(image.ImageID)],
  ];
}

const text = (value) => (typeof value === "string" && value ? visible(value) : null);

function row([name, value]) {
  if (value === null) return [];
  return [make("dt", {}, say(name)), make("dd", { className: name }, make("bdi", {}, value))];
}

/** The name for the file: that of the original, with the ending of what it became. */
function fileName(key, address) {
  const ending = /\.\w+$/.exec(new URL(address).pathname)?.[0] ?? "";
  return key.slice(key.lastIndexOf("/", key.length - 2) + 1).replace(/\.\w+$/, "") + ending;
}

async function copyLink() {
  const copied = await navigator.clipboard?.writeText(location.href).then(
    () => true,
    () => false,
  );
  place("announcement").textContent = say(copied ? "copied" : "notCopied");
}

function followSwipes(step) {
  let from = null;
  const at = ({ clientX, clientY }) => ({ x: clientX, y: clientY });
  stage.addEventListener("touchstart", ({ touches }) => (from = touches.length === 1 ? at(touches[0]) : null), { passive: true });
  stage.addEventListener("touchcancel", () => (from = null));
  stage.addEventListener("touchend", ({ changedTouches }) => {
    if (!from) return;
    const to = at(changedTouches[0]);
    const across = to.x - from.x;
    if (Math.abs(across) > SWIPE && Math.abs(across) > 1.5 * Math.abs(to.y - from.y)) step(across < 0 ? 1 : -1);
    from = null;
  });
}
