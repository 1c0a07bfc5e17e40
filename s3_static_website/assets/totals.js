// What the images that are shown weigh together, before and after.

import { bytesFromTo, count, share } from "./format.js";
import { say } from "./words.js";
import { make } from "./elements.js";

export const noTotals = { images: 0, problems: 0, before: 0, after: 0 };

/** `totals` with more images counted in. */
export function addTo(totals, images) {
  return images.reduce(add, totals);
}

function add({ images, problems, before, after }, image) {
  const failed = image.Outcome === "FAILED";
  const weighed = !failed && image.OriginalBytes >= 0 && image.CompressedBytes >= 0;
  return {
    images: images + 1,
    problems: problems + failed,
    before: before + (weighed ? image.OriginalBytes : 0),
    after: after + (weighed ? image.CompressedBytes : 0),
  };
}

/** Show the totals as a line of text, and as a bar: the filled part is what is left of the bytes. */
export function showTotals(line, bar, { images, problems, before, after }, complete) {
  const saved = before > after;
  const parts = [
    make("span", {}, (images === 1 && complete ? say("oneImage") : say("manyImages", { count: count(images) + (complete ? "" : "+") }))),
    before ? make("span", {}, bytesFromTo(before, after)) : null,
    saved ? make("strong", {}, say("saved", { percent: share(1 - after / before) })) : null,
    problems ? make("span", { className: "problems" }, problems === 1 ? say("oneProblem") : say("manyProblems", { count: count(problems) })) : null,
  ];
  line.replaceChildren(...parts.filter(Boolean));
  bar.hidden = !saved;
  bar.firstElementChild.style.setProperty("--left", before ? after / before : 1);
}
