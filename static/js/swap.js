/**
 * Send forms marked `data-swap` one after the other, and put the answers in place.
 *
 * Marks must not get lost, however fast somebody taps and however bad the line is. That
 * is why htmx, which fetches parts of pages elsewhere, doesn't send them: it reads the
 * pressed button when a waiting request is sent, not when it was pressed, and drops the
 * request of a button that an earlier answer replaced. Here each form is read at the tap
 * and waits in line until the server has answered.
 *
 * The answer is a whole page, as it is without JavaScript; the parts with the ids of
 * `PARTS` are taken out of it. Regions stay, only their content changes, so that screen
 * readers hear it.
 */
import { answer, RequestFault, untilAnswered } from "./net.js";
import { sayFailed, sayOffline } from "./notices.js";

const PARTS = ["notices", "register", "drawer"];

let last = Promise.resolve(); // forms go one after the other, in the order of the taps

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-swap]")) return;
  event.preventDefault();
  const button = event.submitter;
  const body = new URLSearchParams(new FormData(form, button));
  const url = button?.getAttribute("formaction") ?? form.getAttribute("action");
  const place = focusPlace(button);
  button?.setAttribute("aria-busy", "true");
  last = last.then(async () => {
    const done = await send(url, { method: "POST", body }, place);
    button?.removeAttribute("aria-busy");
    const name = done ? "swap:done" : "swap:failed";
    (button ?? form).dispatchEvent(new CustomEvent(name, { bubbles: true }));
  });
});

// The history of a line is one of the parts: it comes by the same way as an answer.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { focus } = link.dataset;
  send(link.href, {}, [link.id]).then((done) => {
    if (!done) return;
    history.replaceState(null, "", link.href);
    document.getElementById(focus)?.focus();
  });
});

let refreshing = null;
let again = false;

/** Fetch this page's register anew; calls that come meanwhile make one more. */
export async function refresh(url) {
  if (refreshing) {
    again = true;
    return refreshing;
  }
  refreshing = Promise.all([last, leftTheSelect()]).then(() =>
    load(url, {}, [document.activeElement?.id]),
  );
  try {
    await refreshing;
  } catch (fault) {
    if (!(fault instanceof RequestFault)) throw fault; // the next mark asks again
  } finally {
    refreshing = null;
  }
  if (again) {
    again = false;
    await refresh(url);
  }
}

/** Wait while somebody is choosing from a list that a refresh would take away. */
function leftTheSelect() {
  const select = document.activeElement;
  if (!select?.matches("#register select")) return Promise.resolve();
  return new Promise((resolve) =>
    select.addEventListener("blur", resolve, { once: true }),
  );
}

async function send(url, options, place) {
  try {
    await untilAnswered(() => load(url, options, place), { onWait: sayOffline });
    return true;
  } catch (fault) {
    sayFailed(fault);
    return false;
  }
}

async function load(url, options, place) {
  const response = await answer(url, options);
  if (!response.ok) {
    const retryAfter = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
    throw new RequestFault(`http_${response.status}`, {
      status: response.status,
      retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
    });
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  swap(page);
  restore(place);
}

function swap(page) {
  const open = [...document.querySelectorAll("details[open][id]")].map((one) => one.id);
  for (const id of PARTS) {
    const here = document.getElementById(id);
    const there = page.getElementById(id);
    if (!here || !there) continue;
    // Said once is enough: an empty region stays as it is, unheard.
    if (id === "notices" && here.innerHTML === there.innerHTML) continue;
    here.replaceChildren(...there.childNodes);
    here.hidden = there.hidden;
  }
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
}

/** The button itself, then its likes in the rows that follow and come before. */
function focusPlace(button) {
  const row = button?.closest("[data-row]");
  if (!row) return [button?.id];
  const rows = [...row.parentElement.querySelectorAll(":scope > [data-row]")];
  const at = rows.indexOf(row);
  const order = [...rows.slice(at + 1), ...rows.slice(0, at).reverse()];
  const kind = button.id.replace(/\d+/, "");
  const likes = order.map((one) => {
    const found = [...one.querySelectorAll("button[id]")].find(
      (other) => other.id.replace(/\d+/, "") === kind,
    );
    return found?.id;
  });
  return [button.id, ...likes, "h-marked", "h-register"];
}

function restore(place) {
  if (document.activeElement && document.activeElement !== document.body) return;
  for (const id of place) {
    const found = id && document.getElementById(id);
    // A button in a closed drawer can't take the focus; try the next place.
    if (found?.checkVisibility?.() ?? found) {
      found.focus({ preventScroll: id.startsWith("h-") });
      return;
    }
  }
}
