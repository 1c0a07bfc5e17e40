// The gallery API and the settings that say where it is.

import { baseUrl } from "./urls.js";

const TIMEOUT_MS = 20_000;

/** Why nothing can be shown: `kind` is "unset", "offline", "unreachable", "busy", "missing" or "refused". */
export class GalleryError extends Error {
  constructor(kind, options) {
    super(kind, options);
    this.kind = kind;
  }
}

/** {api, pictures, recorded}: absolute addresses with a slash at their ends. Raises GalleryError. */
export async function readConfig() {
  const response = await get("assets/config.json");
  try {
    if (!response.ok) throw new TypeError(`status ${response.status}`);
    const { api, pictures, recorded } = await response.json();
    return { api: baseUrl(api), pictures: baseUrl(pictures), recorded: [].concat(recorded ?? pictures).map(baseUrl) };
  } catch (error) {
    throw new GalleryError("unset", { cause: error });
  }
}

/** One page of what `query` asks for: {images, cursor}; `cursor` null where it is the last. Raises GalleryError. */
export async function readPage(api, query, options) {
  const body = await ask(api, "images", query, options);
  if (!Array.isArray(body.images)) throw new GalleryError("refused");
  return { images: body.images.filter((image) => typeof image?.ImageID === "string"), cursor: body.cursor ?? null };
}

/** The record of one image. Raises GalleryError, "missing" where there is none. */
export async function readImage(api, key) {
  const image = await ask(api, "image", { key });
  if (typeof image.ImageID !== "string") throw new GalleryError("refused");
  return image;
}

/** The totals of all images. Raises GalleryError. */
export const readStats = (api, options) => ask(api, "stats", {}, options);

async function ask(api, path, query, options) {
  const url = new URL(path, api);
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
  const response = await get(url, options);
  if (response.status === 503 || response.status === 429) throw new GalleryError("busy");
  if (response.status === 404) throw new GalleryError("missing");
  const body = response.ok ? await response.json().catch(() => null) : null;
  if (body === null || typeof body !== "object") throw new GalleryError("refused");
  return body;
}

/** `fresh`: ask the API even where an answer of some seconds ago is at hand; `signal`: gives the request up. */
async function get(url, { fresh = false, signal } = {}) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(url, {
      credentials: "omit",
      cache: fresh ? "no-cache" : "default",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new GalleryError(navigator.onLine ? "unreachable" : "offline", { cause: error });
  }
}
