/** Take attendance: the ways in, the camera they share, and the register beside them. */
import { isGranted } from "../camera.js";
import "../keys.js";
import { refresh } from "../swap.js";
import { byId } from "./dom.js";
import { Live } from "./live.js";
import { PhotoForm } from "./photos.js";
import { Stage } from "./stage.js";

const stage = new Stage();
const update = () => refresh(registerUrl());
const live = new Live(stage, { onMarked: update });
const forms = Object.fromEntries(
  ["photo", "group"].map((kind) => [
    kind,
    new PhotoForm(byId(`${kind}-form`), {
      onMarked: update,
      useCamera: () => {
        byId("stage-area").hidden = false;
        stage.start();
      },
    }),
  ]),
);
let way = document.querySelector(".ways [aria-current]").dataset.way;

function registerUrl() {
  const url = new URL(location.href);
  const { session } = byId("take").dataset;
  url.search = session ? `?session=${session}` : "";
  return url.pathname + url.search;
}

/** Show one way; leaving Live turns the camera off, Photo and Group ask for it. */
function choose(next, { focus = false } = {}) {
  if (next !== way) stage.stop();
  way = next;
  for (const link of document.querySelectorAll(".ways a")) {
    if (link.dataset.way === way) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const panel of document.querySelectorAll("[data-panel]")) {
    panel.hidden = panel.dataset.panel !== way;
  }
  byId("stage-area").hidden = way !== "live";
  byId("shutter").hidden = way === "live";
  byId("pause").hidden = way !== "live";
  if (focus) byId(`h-${way}`).focus({ preventScroll: true });
}

/** Whoever let this page have the camera before need not press a button again. */
async function startIfGranted() {
  const isWanted = () => way === "live" && !stage.camera && !stage.isOpening;
  if (isWanted() && (await isGranted()) && isWanted()) stage.start();
}

function resume() {
  if (byId("pause").getAttribute("aria-pressed") === "false") live.start();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-way]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.replaceState(null, "", link.href);
  choose(link.dataset.way, { focus: true });
  startIfGranted();
});

stage.addEventListener("on", () => {
  if (way === "live") resume();
});
stage.addEventListener("off", () => live.stop());

byId("pause").addEventListener("click", (event) => {
  const paused = event.currentTarget.getAttribute("aria-pressed") !== "true";
  event.currentTarget.setAttribute("aria-pressed", String(paused));
  if (paused) live.stop();
  else live.start();
  if (paused) stage.say(byId("take").dataset.wordsPaused, { aloud: true });
});

byId("shutter").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.disabled = true;
  try {
    if (stage.camera) await forms[way].take(stage.camera);
  } finally {
    button.disabled = false;
  }
});

// Whoever was taken back by hand may be seen again.
document.addEventListener("swap:done", () => live.forget());

byId("stage-off").remove();
choose(way);
startIfGranted();
