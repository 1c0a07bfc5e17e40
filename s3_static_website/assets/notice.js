// What stands in the place of images: nothing there yet, or a reason why nothing can be shown.

import { make } from "./elements.js";
import { say } from "./words.js";

/** Show the notice `kind`; `retry`, where it may help, is called by its button, which is given back. */
export function showNotice(place, kind, retry = null) {
  const command = say(`${kind}Command`);
  const button = retry && make("button", { type: "button", onclick: retry }, say("retry"));
  place.replaceChildren(
    make("h2", {}, say(`${kind}Title`) ?? say(kind)),
    make("p", {}, say(`${kind}Text`)),
    ...(command ? [make("code", {}, command)] : []),
    ...(button ? [button] : []),
  );
  place.hidden = false;
  return button;
}
