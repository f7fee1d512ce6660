/** The enrolment page: the coach, the tray of photos, and one save for all of them. */

import { faultWords, isGranted, keepAwake, openCamera } from "../camera.js";
import { postForm } from "../net.js";
import { Coach } from "./coach.js";
import { Tray } from "./tray.js";

const form = document.querySelector("[data-enrol]");
if (form) start(form);

function start(form) {
  const find = (name) => form.querySelector(`[data-${name}]`);
  const words = document.querySelector("template[data-words]").content;
  const say = (name) => words.querySelector(`[data-say="${name}"]`).textContent;
  const files = form.querySelector('input[type="file"]');
  const stage = find("stage");
  const shots = find("shots");
  const tray = new Tray(shots, document.querySelector("template[data-shot]"), {
    say,
    most: Number(form.dataset.most),
  });
  const skipped = new Set();
  let camera = null;
  let coach = null;
  let opening = null; // aborted by whatever comes before the camera has opened
  let sleep = () => {};

  const wanted = () =>
    tray.isFull ? undefined : ["front", "left", "right"].find((look) => !tray.has(look) && !skipped.has(look));

  // --- the page ---------------------------------------------------------------
  find("coach").hidden = false;
  shots.hidden = false;
  find("upload").open = find("upload").querySelector(".field-fault") !== null;
  files.required = false;
  refresh();

  function refresh() {
    const count = tray.blobs.length;
    const chosen = files.files.length;
    find("save-note").textContent = !count && !chosen ? say("none") : count && count < 3 && camera ? say("few") : "";
    const look = wanted();
    stage.dataset.look = look ?? "";
    find("skip").disabled = !look;
    find("shutter").disabled = tray.isFull;
    if (camera && !look) hint(say("done"), "done", 1);
  }

  function hint(text, state, share = 0) {
    const place = find("hint");
    // A screen reader repeats what is written again, so write only what is new.
    if (place.textContent !== text) place.textContent = text;
    stage.dataset.state = state;
    stage.querySelector(".oval-done").style.strokeDashoffset = String(100 - 100 * share);
  }

  // --- the camera -------------------------------------------------------------
  async function open(choice) {
    find("fault").hidden = true;
    find("open").disabled = true;
    close();
    const { signal } = (opening = new AbortController());
    try {
      camera = await openCamera(find("video"), choice, signal);
    } catch (error) {
      if (!signal.aborted) fail(error);
      return;
    } finally {
      if (!signal.aborted) find("open").disabled = false;
    }
    opening = null;
    camera.addEventListener("lost", () => {
      close();
      hint("", "");
      fail(null, say("lost"));
    });
    stage.dataset.on = "true";
    stage.toggleAttribute("data-portrait", camera.size.height > camera.size.width);
    stage.dataset.arrows = camera.mirrored ? "mirrored" : "plain";
    find("start").hidden = true;
    find("tools").hidden = false;
    sleep = keepAwake();
    watch();
    refresh();
    await listDevices();
  }

  function watch() {
    coach = new Coach(camera, { url: form.dataset.check, wanted, say });
    coach.addEventListener("hint", ({ detail }) => hint(detail.words, detail.state, detail.share));
    coach.addEventListener("shot", ({ detail }) => {
      stage.classList.remove("flash");
      requestAnimationFrame(() => stage.classList.add("flash"));
      tray.add(detail.look, detail.blob);
      const next = wanted();
      if (next) hint(say(next), "turn", 0);
      else find("save").focus({ preventScroll: true });
    });
    coach.addEventListener("fault", ({ detail }) => {
      if (detail.isPassing) hint(say(detail.code === "offline" ? "offline" : "waiting"), "wrong");
      else if (detail.code === "signed_out") hint(say("signed_out"), "wrong");
      else hint(detail.detail || say("failed"), "wrong");
    });
    coach.run();
  }

  function close() {
    opening?.abort();
    opening = null;
    coach?.stop();
    camera?.stop();
    sleep();
    coach = camera = null;
    delete stage.dataset.on;
  }

  function fail(error, text = "") {
    const place = find("fault-words");
    place.replaceChildren(text || faultWords(error));
    find("start").hidden = true;
    find("tools").hidden = true;
    find("fault").hidden = false;
    find("upload").open = true;
  }

  async function listDevices() {
    const devices = await camera.devices();
    find("device").hidden = devices.length < 2;
    find("devices").replaceChildren(
      ...devices.map(({ deviceId, label, current }, index) => {
        const name = label || `${say("device")} ${index + 1}`;
        return new Option(name, deviceId, current, current);
      }),
    );
  }

  find("open").addEventListener("click", () => open());
  find("retry").addEventListener("click", () => open());
  find("devices").addEventListener("change", (event) => open({ deviceId: event.target.value }));
  find("shutter").addEventListener("click", () => coach?.takeNow());
  find("skip").addEventListener("click", () => {
    skipped.add(wanted());
    coach?.changed();
    const next = wanted();
    if (next) hint(say(next), "turn");
    refresh();
  });
  tray.addEventListener("change", () => {
    refusal("");
    refresh();
    coach?.changed();
  });
  files.addEventListener("change", refresh);
  window.addEventListener("pagehide", close);
  isGranted().then((yes) => yes && !camera && !opening && open());

  // --- saving -----------------------------------------------------------------
  function refusal(text) {
    const place = find("refusal");
    place.textContent = text;
    place.hidden = !text;
    tray.blame(0);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData(form);
    // An empty file field is sent as a file without a name.
    if (!files.files.length) body.delete(files.name);
    for (const blob of tray.blobs) body.append(files.name, blob, "camera.jpg");
    if (!body.has(files.name)) {
      refusal(say("none"));
      return;
    }
    const save = find("save");
    save.disabled = true;
    save.textContent = say("saving");
    try {
      const { next } = await postForm(form.action, body);
      close();
      location.assign(next);
    } catch (fault) {
      save.disabled = false;
      save.textContent = say("save");
      refused(fault);
    }
  });

  function refused(fault) {
    const known = ["offline", "signed_out"].includes(fault.code) ? say(fault.code) : "";
    refusal(known || fault.detail || say("failed"));
    // Files chosen by hand come first in the form.
    tray.blame((fault.body?.photo ?? 0) - files.files.length);
    if (fault.code === "duplicate_face" || fault.body?.field === "reason") {
      find("twins").hidden = false;
    }
    find("refusal").scrollIntoView({ block: "center" });
  }
}
