// What is shown, as text behind the # of the address: #/?q=sea&format=JPEG or #/image/sea/shore.jpg?q=sea
//
// Behind the #, because no server ever sees it: the page is one file in a bucket.

const NAMES = ["q", "view", "format", "month", "size", "sort"];
const EMPTY = Object.freeze({ image: null, ...Object.fromEntries(NAMES.map((name) => [name, ""])) });

/** {image, q, view, format, month, size, sort}: `image` is a key or null, the others are text, empty where unset. */
export function readRoute(hash = location.hash) {
  const [, path, query] = /^#?([^?]*)\??(.*)$/s.exec(hash);
  const parameters = new URLSearchParams(query);
  const route = { ...EMPTY };
  for (const name of NAMES) route[name] = parameters.get(name) ?? "";
  if (path.startsWith("/image/")) route.image = decoded(path.slice("/image/".length)) || null;
  return route;
}

/** The text for a route; "#/" where nothing is set. */
export function hashOf(route) {
  const parameters = new URLSearchParams(NAMES.filter((name) => route[name]).map((name) => [name, route[name]]));
  const path = route.image === null ? "" : `image/${encoded(route.image)}`;
  return `#/${path}${parameters.size ? `?${parameters}` : ""}`;
}

/** Whether both list the same images. */
export const sameList = (one, other) => NAMES.every((name) => one[name] === other[name]);

/** Whether it lists less than everything. */
export const isNarrowed = (route) => NAMES.some((name) => name !== "sort" && route[name]);

/** `route` with no search and no filters. */
export const widened = ({ sort }) => ({ ...EMPTY, sort });

/**
 * Go to `changes` of the present route. `replace`: the back button shall not lead here again. `inside`: what was opened
 * from the list, so that closing it may go back to there.
 */
export function go(changes, { replace = false, inside = false } = {}) {
  const hash = hashOf({ ...readRoute(), ...changes });
  if (hash === (location.hash || "#/")) return;
  history[replace ? "replaceState" : "pushState"]({ inside }, "", hash);
  dispatchEvent(new Event("route"));
}

/** From an image back to the list, without leaving the gallery. */
export function closeImage() {
  if (history.state?.inside) history.back();
  else go({ image: null }, { replace: true });
}

/** Call `listener` whenever the route has changed, by us or by the browser. */
export function onRoute(listener) {
  for (const name of ["route", "popstate", "hashchange"]) addEventListener(name, listener);
}

function encoded(key) {
  return encodeURIComponent(key.toWellFormed?.() ?? key).replaceAll("%2F", "/");
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    // A link that somebody typed, with a % that stands for itself.
    return text;
  }
}
