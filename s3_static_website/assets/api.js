// The gallery API and the settings that say where it is.

import { baseUrl } from "./urls.js";

const TIMEOUT_MS = 20_000;
const PAGE_SIZE = 60;

/** Why nothing can be shown: `kind` is "unset", "unreachable", "busy" or "refused". */
export class GalleryError extends Error {
  constructor(kind, options) {
    super(kind, options);
    this.kind = kind;
  }
}

/** {api, pictures}: absolute addresses with a slash at their ends. Raises GalleryError. */
export async function readConfig() {
  const response = await get("assets/config.json");
  try {
    if (!response.ok) throw new TypeError(`status ${response.status}`);
    const { api, pictures } = await response.json();
    return { api: baseUrl(api), pictures: baseUrl(pictures) };
  } catch (error) {
    throw new GalleryError("unset", { cause: error });
  }
}

/** One page, newest first: {images, cursor}; `cursor` null where it is the last. Raises GalleryError. */
export async function readPage(api, cursor) {
  const url = new URL("images", api);
  url.searchParams.set("limit", PAGE_SIZE);
  if (cursor) url.searchParams.set("cursor", cursor);
  const response = await get(url);
  if (response.status === 503 || response.status === 429) throw new GalleryError("busy");
  if (!response.ok) throw new GalleryError("refused");
  const body = await response.json().catch(() => null);
  if (!Array.isArray(body?.images)) throw new GalleryError("refused");
  return { images: body.images, cursor: body.cursor ?? null };
}

async function get(url) {
  try {
    return await fetch(url, { credentials: "omit", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new GalleryError("unreachable", { cause: error });
  }
}
