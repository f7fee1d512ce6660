/** Send forms to the server and say plainly what came back. */

/**
 * The server's answer that wasn't a yes, or no answer at all.
 *
 * `code` is the server's own, or `offline` where nothing answered, or `signed_out`.
 * `detail` is the server's sentence for people. `retryAfter` is in seconds, or null.
 */
export class RequestFault extends Error {
  constructor(code, { status = 0, detail = "", retryAfter = null, body = {} } = {}) {
    super(detail || code);
    this.name = "RequestFault";
    Object.assign(this, { code, status, detail, retryAfter, body });
  }

  /** Whether the same request may succeed a little later. */
  get isPassing() {
    return this.code === "offline" || [429, 502, 503, 504].includes(this.status);
  }
}

const TOKEN = 'input[name="csrfmiddlewaretoken"]';

/** The token that every form of the page carries. */
export function csrfToken() {
  return document.querySelector(TOKEN)?.value ?? "";
}

/** POST a FormData and return the JSON answer; rejects with RequestFault. */
export async function postForm(url, form, { signal } = {}) {
  const response = await answer(url, {
    method: "POST",
    body: form,
    signal,
    headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
  });
  const isJson = response.headers.get("Content-Type")?.includes("json");
  const body = isJson ? await response.json().catch(() => ({})) : {};
  if (response.ok && isJson) return body;
  throw new RequestFault(body.code ?? `http_${response.status}`, {
    status: response.status,
    detail: body.detail ?? "",
    retryAfter: seconds(response.headers.get("Retry-After")),
    body,
  });
}

/** Fetch; a dead line becomes `offline` and a lost login `signed_out`. */
export async function answer(url, options = {}) {
  let response = await ask(url, options);
  if (response.status === 403 && options.method === "POST" && (await renewToken())) {
    const headers = { ...options.headers, "X-CSRFToken": csrfToken() };
    options.body.set("csrfmiddlewaretoken", csrfToken());
    response = await ask(url, { ...options, headers });
  }
  const toLogin = response.redirected && response.url.includes("/accounts/login");
  if (response.status === 401 || toLogin) throw new RequestFault("signed_out", { status: 401 });
  return response;
}

async function ask(url, options) {
  try {
    return await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestFault("offline");
  }
}

/** Whoever signed in again in another tab got a new token: take it over, once. */
async function renewToken() {
  const response = await ask(location.href, {});
  if (!response.ok || response.url.includes("/accounts/login")) return false;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector(TOKEN)?.value;
  if (!fresh) return false;
  for (const field of document.querySelectorAll(TOKEN)) field.value = fresh;
  return true;
}

function seconds(header) {
  const number = Number.parseInt(header ?? "", 10);
  return Number.isFinite(number) ? number : null;
}

const LONGEST_PAUSE = 15; // seconds between two tries

/**
 * Call `send` until the server answers; faults that don't pass are thrown.
 *
 * `onWait(fault)` is told of each pause, which ends early when the line is back.
 */
export async function untilAnswered(send, { onWait = () => {}, signal } = {}) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await send();
    } catch (fault) {
      if (!(fault instanceof RequestFault && fault.isPassing)) throw fault;
      onWait(fault);
      await pause(fault.retryAfter ?? Math.min(LONGEST_PAUSE, 2 ** tries), signal);
    }
  }
}

/** Wait some seconds, or until the browser says that the line is back. */
export function pause(length, signal) {
  return new Promise((resolve, reject) => {
    const over = () => {
      clearTimeout(timer);
      window.removeEventListener("online", over);
      resolve();
    };
    const timer = setTimeout(over, length * 1000);
    window.addEventListener("online", over);
    signal?.addEventListener(
      "abort",
      () => {
        over();
        reject(signal.reason);
      },
      { once: true },
    );
  });
}
