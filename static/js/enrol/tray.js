/** The photos taken so far: shown from the browser's memory, kept nowhere else. */

export const LOOKS = ["front", "left", "right"];

/** Fires `change` whenever a photo comes or goes. */
export class Tray extends EventTarget {
  #list;
  #template;
  #say;
  #most;
  #shots = new Map(); // look → {blob, url, item}
  #extras = 0;

  constructor(list, template, { say, most }) {
    super();
    this.#list = list;
    this.#template = template;
    this.#say = say;
    this.#most = most;
    for (const look of LOOKS) this.#place(look, say(`name-${look}`));
  }

  /** The first look that is still wanted, or undefined. */
  get next() {
    return LOOKS.find((look) => !this.has(look));
  }

  get isFull() {
    return this.blobs.length >= this.#most;
  }

  /** The photos in the order of the page, which is the order they are sent in. */
  get blobs() {
    return this.#taken().map(({ blob }) => blob);
  }

  has(look) {
    return Boolean(this.#shots.get(look)?.blob);
  }

  /** Put a photo where it belongs: its look's place, else one more. */
  add(look, blob) {
    const wanted = look && !this.has(look) ? look : this.#extra();
    const shot = this.#shots.get(wanted);
    shot.blob = blob;
    shot.url = URL.createObjectURL(blob);
    const picture = shot.item.querySelector("img");
    picture.src = shot.url;
    picture.hidden = false;
    shot.item.querySelector("button").hidden = false;
    shot.item.dataset.taken = "true";
    this.#changed();
  }

  /** Point at the photo that was refused, counted from 1; 0 points at none. */
  blame(number) {
    this.#taken().forEach(({ item }, index) => {
      item.toggleAttribute("data-refused", index + 1 === number);
    });
  }

  #taken() {
    return [...this.#shots.values()].filter(({ blob }) => blob);
  }

  #extra() {
    const look = `extra-${(this.#extras += 1)}`;
    this.#place(look, this.#say("name-extra"));
    return look;
  }

  #place(look, name) {
    const item = this.#template.content.cloneNode(true).firstElementChild;
    item.querySelector(".shot-name").textContent = name;
    const remove = item.querySelector("button");
    remove.setAttribute("aria-label", `${this.#say("remove")}: ${name}`);
    remove.addEventListener("click", () => this.#remove(look));
    this.#list.append(item);
    this.#shots.set(look, { item });
  }

  #remove(look) {
    const { item, url } = this.#shots.get(look);
    URL.revokeObjectURL(url);
    if (LOOKS.includes(look)) {
      const picture = item.querySelector("img");
      picture.hidden = true;
      picture.removeAttribute("src");
      item.querySelector("button").hidden = true;
      item.removeAttribute("data-taken");
      item.removeAttribute("data-refused");
      this.#shots.set(look, { item });
    } else {
      item.remove();
      this.#shots.delete(look);
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
