// The header's line: how many images there are, what they weigh before and after, and what that saves.

import { make, place } from "./elements.js";
import { bytes, bytesFromTo, count, money, share, unitPrice } from "./format.js";
import { say } from "./words.js";

/** Show the totals as a line of text, and as a bar: the filled part is what is left of the bytes. */
export function showTotals({ images, original_bytes: before, compressed_bytes: after, ...rest }) {
  const saved = before > after;
  const parts = [
    make("span", {}, images === 1 ? say("oneImage") : say("manyImages", { count: count(images) })),
    before ? make("span", { title: rest.variants > 0 ? variants(rest) : "" }, bytesFromTo(before, after)) : null,
    saved ? make("strong", {}, say("saved", { percent: share(1 - after / before) })) : null,
    saved && rest.saved_per_month > 0 ? perMonth(rest) : null,
  ];
  place("totals").replaceChildren(...parts.filter(Boolean));
  const bar = place("share");
  bar.hidden = !saved;
  bar.firstElementChild.style.setProperty("--left", before ? after / before : 1);
}

function variants({ variants: number, variant_bytes: weight }) {
  return say("variants", { count: count(number), bytes: bytes(weight) });
}

function perMonth({ saved_per_month: amount, price_per_gb_month: price }) {
  const title = say("priceNote", { price: unitPrice(price) });
  return make("span", { title, className: "money" }, say("perMonth", { money: money(amount) }));
}
