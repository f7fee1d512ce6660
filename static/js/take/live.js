/**
 * Live: a frame goes up about every 0.7 s, and names come back.
 *
 * Two frames are never in flight. The server marks a student when a second frame agrees
 * with the first; the token that it sends with the first is given back with the second.
 */
import { pause, postForm, RequestFault } from "../net.js";
import { byId, copyOf, fill, fillStatus } from "./dom.js";
import { drawBoxes } from "./boxes.js";
import { chime } from "./sound.js";

const EVERY = 0.7; // seconds from one frame to the next
const SECOND_LOOK = 0.3; // while somebody was seen once, so that nobody waits long
const REST = 0.5; // share of the server's time that it gets as a rest
const FRAME = 640; // pixels of the longer side
const FADE = 1500; // ms after which boxes of an old answer go

export class Live {
  #stage;
  #take = byId("take");
  #running = null;
  #token = "";
  #listed = new Set();
  #fade = 0;

  /** `onMarked` is called whenever the register has changed. */
  constructor(stage, { onMarked }) {
    this.#stage = stage;
    this.onMarked = onMarked;
  }

  get isRunning() {
    return this.#running !== null;
  }

  start() {
    if (this.isRunning || !this.#stage.camera) return;
    this.#running = new AbortController();
    this.#stage.say(this.#take.dataset.wordsLooking);
    this.#loop(this.#running.signal);
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
    this.#token = "";
    clearTimeout(this.#fade);
    byId("boxes").replaceChildren();
  }

  async #loop(signal) {
    let misses = 0;
    while (!signal.aborted) {
      const begun = performance.now();
      let wait = EVERY;
      try {
        const waiting = document.hidden ? false : await this.#look(signal);
        const took = (performance.now() - begun) / 1000;
        wait = Math.max((waiting ? SECOND_LOOK : EVERY) - took, took * REST);
        misses = 0;
      } catch (fault) {
        if (signal.aborted) return;
        if (!(fault instanceof RequestFault)) throw fault;
        if (!fault.isPassing) {
          this.#end(fault);
          return;
        }
        wait = fault.retryAfter ?? Math.min(15, 2 ** misses);
        misses += 1;
        const { wordsOffline, wordsBusy } = this.#take.dataset;
        const said = fault.code === "offline" ? wordsOffline : wordsBusy;
        this.#stage.say(said, { aloud: true });
      }
      await pause(wait, signal).catch(() => {});
    }
  }

  /** Send one frame; returns whether somebody waits for a second look. */
  async #look(signal) {
    const frame = await this.#stage.camera.grab(FRAME, 0.85);
    const form = new FormData();
    form.append("file", frame, "frame.jpg");
    form.append("token", this.#token);
    if (this.#take.dataset.session) form.append("session_id", this.#take.dataset.session);
    const seen = await postForm(this.#take.dataset.look, form, { signal });
    if (signal.aborted) return false;
    this.#token = seen.token;
    this.#show(seen.faces, frame);
    return seen.faces.some((face) => face.student && !face.record);
  }

  #show(faces, frame) {
    const drawn = faces.map((face) => this.#drawn(face));
    drawBoxes(byId("boxes"), drawn, {
      width: frame.width,
      height: frame.height,
      mirrored: this.#stage.camera.mirrored,
    });
    clearTimeout(this.#fade);
    this.#fade = setTimeout(() => byId("boxes").replaceChildren(), FADE);
    const { wordsLooking, wordsOnce } = this.#take.dataset;
    const isOnce = drawn.some((face) => face.kind === "once");
    this.#stage.say(isOnce ? wordsOnce : faces.length ? "" : wordsLooking);
    const arrived = faces.filter((face) => face.record && !this.#listed.has(face.student.id));
    for (const face of arrived) this.#list(face);
    if (arrived.some((face) => face.record.is_new)) {
      chime();
      this.onMarked();
    }
  }

  #drawn({ box, student, record, candidates }) {
    if (student) return { box, kind: record ? "known" : "once", label: student.full_name };
    if (candidates.length) {
      const names = candidates.map((one) => one.full_name);
      return { box, kind: "doubt", label: `${names.join(` ${this.#take.dataset.wordsOr} `)}?` };
    }
    return { box, kind: "unknown", label: this.#take.dataset.wordsUnknown };
  }

  #list({ student, record, likeness }) {
    this.#listed.add(student.id);
    const line = copyOf("t-arrival");
    fill(line, "name", student.full_name);
    fill(line, "likeness", likeness);
    fillStatus(line, record.status);
    byId("arrivals").prepend(line);
  }

  /** Whoever was taken back may arrive again. */
  forget() {
    this.#listed.clear();
  }

  #end(fault) {
    this.#running = null;
    const { wordsOut, wordsFailed } = this.#take.dataset;
    const said = fault.code === "signed_out" ? wordsOut : fault.detail || wordsFailed;
    this.#stage.say(said, { aloud: true });
    if (fault.code === "session_closed") this.onMarked();
  }
}
