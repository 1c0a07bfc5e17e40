// Making elements. Text only ever becomes text: nothing here parses HTML.

/** A new element with properties and children (strings become text; null is left out). */
export function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** The element with this id. */
export const place = (id) => document.getElementById(id);
