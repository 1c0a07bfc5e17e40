// The images that are loaded, in the order in which they are shown, and their tiles.

import { tile } from "./grid.js";
import { comparison } from "./query.js";

export class ImageList {
  #element;
  #config = null;
  #route = null;
  #images = [];
  #tiles = new Map();

  /** `element`: the list in the page. `cursor`: where to go on; undefined before the first page, null after the last. */
  constructor(element) {
    this.#element = element;
    this.cursor = undefined;
    new ResizeObserver(() => this.#holdBack()).observe(element);
  }

  get size() {
    return this.#images.length;
  }

  /** Forget everything: `route` lists other images. */
  begin(route) {
    this.#route = route;
    this.#images = [];
    this.#tiles.clear();
    this.cursor = undefined;
    this.#element.replaceChildren();
  }

  /** Add a page at the end, or where the order wants it; gives the first of its tiles. */
  add(page, config) {
    this.#config = config;
    this.cursor = page.cursor;
    const added = page.images.filter((image) => !this.#tiles.has(image.ImageID));
    this.#images.push(...added);
    const tiles = added.map((image) => this.#tile(image));
    const compare = comparison(this.#route);
    if (compare) this.#reorder(compare);
    else this.#element.append(...tiles);
    this.#holdBack();
    return tiles[0];
  }

  /** What a look at the first page says: images that came or changed, and keys of those that went. */
  compare(page) {
    const seen = new Map(page.images.map((image) => [image.ImageID, image]));
    const last = page.images.at(-1)?.ProcessedAt;
    // A page without images that leads on says nothing of any.
    const within = (image) => !page.cursor || (last !== undefined && image.ProcessedAt > last);
    const known = new Map(this.#images.map((image) => [image.ImageID, image.ProcessedAt]));
    // Where one went, the page reaches one further than before: that one comes with the next page.
    const oldest = this.cursor ? [...known.values()].sort()[0] : undefined;
    const due = (image) => known.has(image.ImageID) || oldest === undefined || image.ProcessedAt >= oldest;
    return {
      fresh: page.images.filter((image) => known.get(image.ImageID) !== image.ProcessedAt && due(image)),
      gone: this.#images.filter((image) => within(image) && !seen.has(image.ImageID)).map((image) => image.ImageID),
    };
  }

  /** Put `fresh` at the top and take `gone` away. */
  update({ fresh, gone }) {
    for (const key of [...gone, ...fresh.map((image) => image.ImageID)]) {
      this.#tiles.get(key)?.remove();
      this.#tiles.delete(key);
    }
    this.#images = [...fresh, ...this.#images.filter((image) => this.#tiles.has(image.ImageID))];
    const tiles = fresh.map((image) => this.#tile(image));
    for (const item of tiles) item.classList.add("arrived");
    this.#element.prepend(...tiles);
  }

  image(key) {
    return this.#images.find((image) => image.ImageID === key);
  }

  /** The image that stands `step` after the one with `key`; undefined where there is none. */
  beside(key, step) {
    const at = this.#images.findIndex((image) => image.ImageID === key);
    return at < 0 ? undefined : this.#images[at + step];
  }

  link(key) {
    return this.#tiles.get(key)?.querySelector("a");
  }

  /** The last row changes when the next page comes: it is shown then, so that nothing moves before anybody's eyes. */
  #holdBack() {
    const items = [...this.#element.children];
    for (const item of items) item.classList.remove("held");
    const row = items.at(-1)?.offsetTop;
    if (!this.cursor || row === items[0]?.offsetTop) return;
    for (let at = items.length - 1; items[at].offsetTop === row; at -= 1) items[at].classList.add("held");
  }

  #tile(image) {
    const item = tile(image, this.#config, this.#route);
    this.#tiles.set(image.ImageID, item);
    return item;
  }

  #reorder(compare) {
    this.#images.sort(compare);
    this.#element.append(...this.#images.map((image) => this.#tiles.get(image.ImageID)));
  }
}

/** The links around `link` in the grid, for the arrow keys: what lies left, right, above and below. */
export function linkBeside(link, key) {
  const item = link.closest("li");
  if (key === "ArrowLeft") return item.previousElementSibling?.querySelector("a");
  if (key === "ArrowRight") return item.nextElementSibling?.querySelector("a");
  const forward = key === "ArrowDown";
  const middle = (element) => element.offsetLeft + element.offsetWidth / 2;
  let best = null;
  let row = null;
  // The next row begins with the first tile that lies elsewhere; in it, the nearest one is meant.
  for (let at = item; (at = forward ? at.nextElementSibling : at.previousElementSibling); ) {
    if (at.offsetTop === item.offsetTop) continue;
    row ??= at.offsetTop;
    if (at.offsetTop !== row) break;
    if (!best || Math.abs(middle(at) - middle(item)) < Math.abs(middle(best) - middle(item))) best = at;
  }
  return best?.querySelector("a");
}
