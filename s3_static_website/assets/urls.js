// Which addresses the page may follow. Records are untrusted: whoever can write one could name any address.

const FOLDERS = /^(thumbnails|compressed)\//;

/**
 * Where the picture is read that a record names by `text`: below `pictures`, whatever host served when it was written.
 * null for whatever is not named below one of the addresses `recorded`.
 */
export function pictureUrl(text, { pictures, recorded }) {
  if (typeof text !== "string") return null;
  const base = recorded.find((address) => text.startsWith(address));
  if (!base || !FOLDERS.test(text.slice(base.length))) return null;
  const address = pictures + text.slice(base.length);
  const { href } = URL.canParse(address) ? new URL(address) : { href: "" };
  // Once more as the browser reads it: `..` in it could lead out.
  return href.startsWith(pictures) ? href : null;
}

/** A configured address, absolute and with a slash at its end. Raises TypeError where it is none. */
export function baseUrl(text) {
  if (typeof text !== "string") throw new TypeError("an address is missing");
  const { origin, pathname, protocol } = new URL(text, document.baseURI);
  if (!/^https?:$/.test(protocol)) throw new TypeError(`${protocol} is not an address of the web`);
  return origin + pathname.replace(/\/*$/, "/");
}
