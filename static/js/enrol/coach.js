/** Watch a camera, say what to do, and take a photo when a look is right. */

import { postForm } from "../net.js";

const SIDE = 960; // what is checked is what is saved, so it must be good enough for both
const PAUSE = 350; // milliseconds between two frames: a person needs longer to move
const LONGEST_PAUSE = 8000;
const STEADY = 0.08; // of the face's width: what counts as holding still
const FRAMES = 2; // good ones in a row before a photo is taken

// Degrees by which the head is to be turned, from the look straight ahead. The server's
// figure is good to about ten degrees.
const TURN = { least: 11, most: 38 };
const FRONT = 14;

/** What to say of a face that is otherwise fine; "" where it is the wanted look. */
export function turnAdvice(look, yaw, front = 0) {
  if (look === "front") return Math.abs(yaw) <= FRONT ? "" : "front";
  // A positive yaw points the nose to the picture's right: the person's own left.
  const turned = look === "left" ? yaw - front : front - yaw;
  if (turned < TURN.least) return look;
  return turned > TURN.most ? "less" : "";
}

/** Whether a face has hardly moved since the frame before; boxes are [x, y, w, h]. */
export function isSteady(box, before) {
  if (!before) return false;
  const moved = Math.hypot(
    box[0] + box[2] / 2 - before[0] - before[2] / 2,
    box[1] + box[3] / 2 - before[1] - before[3] / 2,
  );
  return moved <= STEADY * box[2] && Math.abs(box[2] - before[2]) <= 2 * STEADY * box[2];
}

/**
 * Fires `hint` ({words, state}) for each frame, `shot` ({look, blob}) for each photo and
 * `fault` (a RequestFault) where the server doesn't answer.
 */
export class Coach extends EventTarget {
  #camera;
  #url;
  #wanted;
  #say;
  #abort = new AbortController();
  #good = 0;
  #before = null;
  #front = 0;
  #by_hand = false;
  #wake = () => {};

  /** `wanted()` returns the look to take next, or undefined when all are taken. */
  constructor(camera, { url, wanted, say }) {
    super();
    this.#camera = camera;
    this.#url = url;
    this.#wanted = wanted;
    this.#say = say;
  }

  async run() {
    let pause = PAUSE;
    while (!this.#abort.signal.aborted) {
      try {
        await this.#step();
        pause = PAUSE;
      } catch (fault) {
        if (this.#abort.signal.aborted) return;
        this.#good = 0;
        this.#tell("fault", fault);
        if (!fault.isPassing) return;
        pause = Math.min(LONGEST_PAUSE, Math.max(2 * pause, 1000 * (fault.retryAfter ?? 0)));
      }
      await this.#rest(pause);
    }
  }

  stop() {
    this.#abort.abort();
    this.#wake();
  }

  /** Take the next frame as it is, unless the server would refuse it. */
  takeNow() {
    this.#by_hand = true;
    this.#wake();
  }

  /** Look again at once, because another look is wanted now. */
  changed() {
    this.#good = 0;
    this.#wake();
  }

  async #step() {
    const by_hand = this.#by_hand;
    const look = this.#wanted();
    if (document.hidden || (!look && !by_hand)) {
      this.#good = 0;
      return;
    }
    const blob = await this.#camera.grab(SIDE, 0.9);
    const form = new FormData();
    form.append("file", blob, "frame.jpg");
    const seen = await postForm(this.#url, form, { signal: this.#abort.signal });
    // The user may have skipped or removed something while the frame was away.
    if (look !== this.#wanted()) return;
    if (by_hand) this.#by_hand = false;
    this.#judge(look, blob, seen, by_hand);
  }

  #judge(look, blob, seen, by_hand) {
    const { face } = seen;
    const turn = face && look && !by_hand ? turnAdvice(look, face.yaw, this.#front) : "";
    const still = face && isSteady(face.box, this.#before);
    this.#before = face?.box ?? null;
    if (!seen.good) return this.#wait(seen.advice[0].words, "wrong");
    if (turn) return this.#wait(this.#say(turn), "turn");
    this.#good = still || !this.#good ? this.#good + 1 : 1;
    if (!by_hand && this.#good < FRAMES) return this.#hint(this.#say("hold"), "hold");
    if (look === "front") this.#front = face.yaw;
    this.#good = 0;
    this.#tell("shot", { look, blob });
  }

  #wait(words, state) {
    this.#good = 0;
    this.#hint(words, state);
  }

  #hint(words, state) {
    this.#tell("hint", { words, state, share: this.#good / FRAMES });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #rest(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
