// What stands in the place of images: nothing there yet, or a reason why nothing can be shown.

import { make } from "./elements.js";
import { say } from "./words.js";

/** The words and the button of the notice `kind`; `action`, where one may help, is [its word, what it does]. */
export function noticeParts(kind, action = null) {
  const command = say(`${kind}Command`);
  return [
    make("h2", {}, say(`${kind}Title`)),
    make("p", {}, say(`${kind}Text`)),
    command ? make("code", {}, command) : null,
    action ? make("button", { type: "button", onclick: action[1] }, say(action[0])) : null,
  ].filter(Boolean);
}

/** Show the notice in `place`; gives its button back, if it has one. */
export function showNotice(place, kind, action = null) {
  // Said again and again, it is neither read out again nor taken from under the finger.
  if (place.hidden || place.dataset.kind !== kind) place.replaceChildren(...noticeParts(kind, action));
  place.dataset.kind = kind;
  place.hidden = false;
  return place.querySelector("button");
}
