/** Photo and Group: choose or take photos, send them small, see who was recognised. */
import { postForm, RequestFault, untilAnswered } from "../net.js";
import { byId, copyOf, words } from "./dom.js";
import { showResult } from "./result.js";
import { forgetPhotos, shown, shrink } from "./shrink.js";

const MAX_PHOTOS = 5;
const SIDES = { photo: 1280, group: 2560 }; // pixels of the longer side

/** A photo form that JavaScript takes over; `onMarked` is called after an answer. */
export class PhotoForm {
  #form;
  #kind;
  #taken = []; // by the camera, waiting to be sent
  #shownNow = [];

  constructor(form, { onMarked, useCamera }) {
    this.#form = form;
    this.#kind = form.dataset.kind;
    this.onMarked = onMarked;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    const button = form.querySelector("[data-use-camera]");
    button.hidden = false;
    button.addEventListener("click", useCamera);
    this.#input.addEventListener("change", () => this.#say(""));
  }

  get #input() {
    return this.#form.querySelector('input[type="file"]');
  }

  /** Take what the camera shows: sent at once for one person, collected for a room. */
  async take(camera) {
    const frame = await camera.grab(SIDES[this.#kind], 0.9);
    const photo = shown(frame, frame.width, frame.height);
    if (this.#kind === "photo") {
      await this.#send([photo]);
      return;
    }
    if (this.#taken.length >= MAX_PHOTOS) return;
    this.#taken.push(photo);
    this.#strip();
  }

  #strip() {
    const strip = this.#form.querySelector("[data-strip]");
    strip.hidden = !this.#taken.length;
    this.#input.required = !this.#taken.length;
    strip.replaceChildren(
      ...this.#taken.map((photo, index) => {
        const item = copyOf("t-strip").firstElementChild;
        item.querySelector("img").src = photo.url;
        item.querySelector(".strip-name").textContent = `${index + 1}`;
        item.querySelector("button").addEventListener("click", () => {
          forgetPhotos(this.#taken.splice(index, 1));
          this.#strip();
        });
        return item;
      }),
    );
  }

  async #submit() {
    const files = [...this.#input.files].slice(0, this.#kind === "photo" ? 1 : MAX_PHOTOS);
    this.#busy(true);
    const chosen = [];
    // One after the other: five photos of a phone at once would fill its memory.
    for (const file of files) chosen.push(await shrink(file, SIDES[this.#kind]));
    const photos = [...this.#taken, ...chosen].slice(0, MAX_PHOTOS);
    this.#taken = [];
    await this.#send(photos);
    this.#strip();
  }

  async #send(photos) {
    const take = byId("take").dataset;
    const form = new FormData();
    form.append("class_id", take.classroom);
    if (take.session) form.append("session_id", take.session);
    for (const { blob } of photos) form.append("file", blob, blob.name ?? "photo.jpg");
    this.#busy(true);
    this.#say("");
    try {
      const url = this.#kind === "photo" ? take.verify : take.group;
      const body = await untilAnswered(() => postForm(url, form), {
        onWait: (fault) =>
          this.#say(fault.code === "offline" ? take.wordsOffline : take.wordsBusy),
      });
      this.#say("");
      this.#input.value = "";
      forgetPhotos(this.#shownNow);
      this.#shownNow = photos;
      await showResult(this.#kind === "photo" ? asGroup(body) : body, photos);
      this.onMarked();
    } catch (fault) {
      if (!(fault instanceof RequestFault)) throw fault;
      const said = fault.code === "signed_out" ? take.wordsOut : fault.detail;
      this.#say(said || take.wordsFailed);
      forgetPhotos(photos);
    } finally {
      this.#busy(false);
    }
  }

  #say(text) {
    const place = this.#form.querySelector("[data-fault]");
    place.textContent = text;
    place.hidden = !text;
  }

  #busy(yes) {
    const button = this.#form.querySelector("button:not([type])");
    button.dataset.words ??= button.textContent;
    button.textContent = yes ? words("working") : button.dataset.words;
    button.disabled = yes;
  }
}

/** One person's answer in the shape of a room's. */
function asGroup({ matched, student, attendance, box, reason, candidates = [], hints }) {
  const face = { photo: 1, box };
  return {
    recognized: matched ? [{ ...face, student, attendance }] : [],
    ambiguous: reason === "ambiguous" ? [{ ...face, candidates }] : [],
    unknown: matched || reason === "ambiguous" ? [] : [face],
    text: [
      ...(reason === "no_match" || reason === "nobody_enrolled" ? [words(reason)] : []),
      ...hints.map((hint) => hint.detail),
    ].join(" "),
  };
}
