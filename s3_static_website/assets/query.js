// From the route to a question that the API understands, and the orders that it does not know.

const PAGE_SIZE = 60;
// A filter that no index serves looks at a bounded number of images for each page: more of them at once is quicker.
const PAGE_SIZE_WITH_FILTERS = 200;

/** Sizes of originals, in bytes: at least the first, below the second. */
export const SIZES = {
  small: [0, 100_000],
  medium: [100_000, 1_000_000],
  large: [1_000_000, 10_000_000],
  huge: [10_000_000, 0],
};
const OUTCOMES = { done: "DONE", problems: "FAILED" };

/** Orders within what is loaded: the API reads by time and by name only. */
const BY_BYTES = (one, other) => (other.OriginalBytes ?? 0) - (one.OriginalBytes ?? 0);
const saved = ({ OriginalBytes: before, CompressedBytes: after }) => (after >= 0 ? before - after : -Infinity);
const HERE = { largest: BY_BYTES, saved: (one, other) => saved(other) - saved(one) };

export const SORTS = ["newest", "oldest", "name", ...Object.keys(HERE)];

/** The order that holds: without a choice, a search is sorted by name. */
export const sortOf = ({ sort, q }) => (SORTS.includes(sort) ? sort : q ? "name" : "newest");

/** How to compare images, where that is done here; undefined where the API's order stands. */
export const comparison = (route) => HERE[sortOf(route)];

/** The parameters for `/images`. */
export function questionOf(route) {
  const [least, most] = SIZES[route.size] ?? [0, 0];
  const sort = sortOf(route);
  const filtered = route.format || route.size || route.view === "done";
  return {
    limit: filtered ? PAGE_SIZE_WITH_FILTERS : PAGE_SIZE,
    prefix: route.q,
    format: route.format,
    outcome: OUTCOMES[route.view],
    ...monthOf(route.month),
    min_bytes: least,
    max_bytes: most,
    sort: sort in HERE ? "newest" : sort,
  };
}

function monthOf(text) {
  if (!/^(?!0000)\d{4}-(0[1-9]|1[0-2])$/.test(text)) return {};
  // No month follows it that the API knows, and no image either.
  if (text === "9999-12") return { since: text };
  const [year, month] = text.split("-").map(Number);
  const next = month === 12 ? `${year + 1}-01` : `${year}-${String(month + 1).padStart(2, "0")}`;
  return { since: text, until: next.padStart(7, "0") };
}
