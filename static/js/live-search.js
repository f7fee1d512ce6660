/**
 * Search while typing: a form marked `data-live="id"` reloads the part with that id.
 *
 * The server answers with the same page as without JavaScript; the part and the number
 * for screen readers are taken out of it, and the address stays one to share.
 */
import { answer } from "./net.js";

const PAUSE = 250; // milliseconds after the last key

for (const form of document.querySelectorAll("form[data-live]")) watch(form);

function watch(form) {
  let timer = 0;
  let request = new AbortController();

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    search();
  });

  async function search() {
    request.abort();
    request = new AbortController();
    const url = `${location.pathname}?${new URLSearchParams(new FormData(form))}`;
    try {
      const response = await answer(url, { signal: request.signal });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      show(await response.text(), url);
    } catch (error) {
      // Whatever is wrong, the browser says it better on a page of its own.
      if (error.name !== "AbortError") location.assign(url);
    }
  }

  function show(html, url) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const here = document.getElementById(form.dataset.live);
    const there = page.getElementById(form.dataset.live);
    if (!there) return location.assign(url);
    here.replaceChildren(...there.childNodes);
    const count = here.querySelector("[data-live-count]");
    const status = document.querySelector("[data-live-status]");
    if (status && count) status.textContent = count.textContent;
    history.replaceState(null, "", url);
  }
}
