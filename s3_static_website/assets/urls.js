// Which addresses the page may follow. Records are untrusted: whoever can write one could name any address.

/** The address `text` if it lies under `base` (which ends in a slash), as the browser would read it; else null. */
export function pictureUrl(text, base) {
  if (typeof text !== "string" || !URL.canParse(text)) return null;
  const { href, protocol } = new URL(text);
  return /^https?:$/.test(protocol) && href.startsWith(base) ? href : null;
}

/** A configured address, absolute and with a slash at its end. Raises TypeError where it is none. */
export function baseUrl(text) {
  const { origin, pathname, protocol } = new URL(text, document.baseURI);
  if (!/^https?:$/.test(protocol)) throw new TypeError(`${protocol} is not an address of the web`);
  return origin + pathname.replace(/\/*$/, "/");
}
