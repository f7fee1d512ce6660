/** Short ways to the page's elements, templates and words. */

export const byId = (id) => document.getElementById(id);

/** A copy of a template's content, ready to be filled in. */
export function copyOf(id) {
  return byId(id).content.cloneNode(true);
}

/** The translated words of a `<template id="w-…">`. */
export function words(name) {
  return byId(`w-${name}`)?.content.textContent ?? name;
}

/** Fill the element of a fragment that carries `data-{name}`. */
export function fill(fragment, name, text) {
  const found = fragment.querySelector(`[data-${name}]`);
  found.textContent = text;
  return found;
}

/** Show a status in its colour. */
export function fillStatus(fragment, status) {
  const badge = fill(fragment, "status", words(status));
  badge.classList.add(`badge--${status}`);
}
