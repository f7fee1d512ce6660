/** Parts that htmx fetches by `hx-get`: where the focus goes, and what faults look like. */
import { sayOffline, unsayOffline } from "./notices.js";

// `data-focus` names the element of the new part that its reader goes on from.
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const { focus } = detail.requestConfig?.elt.dataset ?? {};
  if (focus) document.getElementById(focus)?.focus();
});

// Whoever searched while the line was down gets the answer when it is back.
let waiting = null;

document.addEventListener("htmx:sendError", ({ detail }) => {
  waiting = detail.requestConfig.triggeringEvent ? detail.requestConfig.elt : null;
  sayOffline();
});

window.addEventListener("online", () => {
  if (waiting) window.htmx.trigger(waiting, waiting.matches("form") ? "submit" : "click");
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.successful) return;
  waiting = null;
  unsayOffline();
});

// Whatever else is wrong, the browser says it better on a page of its own. A part that
// renews itself was asked for by nobody: it tries again in silence.
document.addEventListener("htmx:responseError", ({ detail }) => {
  if (detail.requestConfig.triggeringEvent) location.assign(detail.pathInfo.finalRequestPath);
});
