/** The one camera of the page: its picture, its controls, and what to do when it fails. */
import { faultWords, keepAwake, openCamera } from "../camera.js";
import { byId } from "./dom.js";
import { isMuted, setMuted } from "./sound.js";

/** Fires `on` and `off`; `camera` is null while it is off. */
export class Stage extends EventTarget {
  camera = null;
  #opening = null; // aborted by whatever comes before the camera has opened
  #release = null;

  constructor() {
    super();
    byId("camera-start").addEventListener("click", () => this.start());
    byId("camera-retry").addEventListener("click", () => this.start());
    byId("camera-stop").addEventListener("click", () => {
      this.stop();
      byId("camera-start").focus();
    });
    byId("flip").addEventListener("click", () => {
      const facing = this.camera?.facing === "environment" ? "user" : "environment";
      this.start({ facing });
    });
    byId("devices").addEventListener("change", (event) =>
      this.start({ deviceId: event.target.value }),
    );
    byId("mirror").addEventListener("click", () => {
      if (!this.camera) return;
      this.camera.mirrored = !this.camera.mirrored;
      this.#sayMirror();
      byId("boxes").replaceChildren();
    });
    const sound = byId("sound");
    sound.setAttribute("aria-pressed", String(!isMuted()));
    sound.addEventListener("click", () => {
      setMuted(!isMuted());
      sound.setAttribute("aria-pressed", String(!isMuted()));
    });
    window.addEventListener("pagehide", () => this.stop());
  }

  async start(choice = {}) {
    this.#end();
    const { signal } = (this.#opening = new AbortController());
    byId("stage-fault").hidden = true;
    byId("stage-start").hidden = true;
    byId("stage").setAttribute("aria-busy", "true");
    try {
      this.camera = await openCamera(byId("video"), choice, signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
      return;
    } finally {
      if (!signal.aborted) byId("stage").removeAttribute("aria-busy");
    }
    this.#opening = null;
    const { width, height } = this.camera.size;
    byId("stage").style.aspectRatio = `${width} / ${height}`;
    byId("stage").classList.add("is-on");
    byId("controls").hidden = false;
    this.#release = keepAwake();
    this.camera.addEventListener("lost", () => this.#fail());
    this.#sayMirror();
    await this.#listDevices();
    this.dispatchEvent(new Event("on"));
  }

  /** Whether a camera has been asked for and isn't here yet. */
  get isOpening() {
    return this.#opening !== null;
  }

  stop() {
    this.#end();
    byId("stage-start").hidden = false;
  }

  /**
   * Say in a few words what the camera is doing; nothing hides them.
   *
   * A screen reader hears `aloud` ones alone: the others change with every frame.
   */
  say(words, { aloud = false } = {}) {
    const state = byId("stage-state");
    state.textContent = words;
    state.hidden = !words;
    const heard = aloud ? words : "";
    const place = byId("stage-aloud");
    if (place.textContent !== heard) place.textContent = heard;
  }

  #end() {
    this.#opening?.abort();
    this.#opening = null;
    byId("stage").removeAttribute("aria-busy");
    const wasOn = this.camera !== null;
    this.camera?.stop();
    this.camera = null;
    this.#release?.();
    this.#release = null;
    byId("stage").classList.remove("is-on");
    byId("stage").style.aspectRatio = "";
    byId("controls").hidden = true;
    byId("boxes").replaceChildren();
    this.say("");
    if (wasOn) this.dispatchEvent(new Event("off"));
  }

  #fail(error) {
    this.#end();
    byId("stage-start").hidden = true;
    byId("stage-fault-words").replaceChildren(faultWords(error));
    byId("stage-fault").hidden = false;
  }

  #sayMirror() {
    byId("mirror").setAttribute("aria-pressed", String(this.camera.mirrored));
  }

  async #listDevices() {
    const devices = await this.camera.devices();
    const list = byId("devices");
    list.hidden = devices.length < 2;
    byId("flip").hidden = devices.length < 2;
    list.replaceChildren(
      ...devices.map(({ deviceId, label, current }, index) => {
        const name = label || `${index + 1}`;
        return new Option(name, deviceId, current, current);
      }),
    );
  }
}
