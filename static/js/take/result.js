/** What photos showed: names, photos with boxes, and a question for each doubtful face. */
import { byId, copyOf, fill, fillStatus, words } from "./dom.js";
import { drawBoxes } from "./boxes.js";
import { drawFace } from "./shrink.js";

/** Put the answer for these photos (see `shrink`) on the page and lead there. */
export async function showResult(answer, photos) {
  const { recognized, ambiguous, unknown } = answer;
  const piece = copyOf("t-result");
  const count = recognized.length;
  fill(piece, "head", count ? `${words("recognised")}: ${count}` : words("nobody"));
  const faces = recognized.length + ambiguous.length + unknown.length;
  const text = fill(piece, "text", answer.text || (faces ? "" : words("no_face")));
  text.hidden = !text.textContent;
  const names = piece.querySelector("[data-names]");
  for (const { student, attendance } of recognized) {
    const line = copyOf("t-name");
    fill(line, "name", student.full_name);
    line.querySelector("[data-before]").hidden = !attendance.already_marked;
    fillStatus(line, attendance.status);
    names.append(line);
  }
  const images = await Promise.all(photos.map(imageOf));
  const shots = piece.querySelector("[data-shots]");
  photos.forEach((photo, index) => {
    shots.append(shot(answer, photo, images[index], index + 1));
  });
  const doubts = [
    ...ambiguous.map((face) => ({ ...face, isUnknown: false })),
    ...unknown.map((face) => ({ ...face, candidates: [], isUnknown: true })),
  ];
  const list = piece.querySelector(".doubts");
  for (const face of doubts) list.append(doubt(face, images[face.photo - 1]));
  piece.querySelector("[data-doubts]").hidden = !doubts.length;
  const result = byId("result");
  result.replaceChildren(piece);
  result.focus({ preventScroll: true });
  result.scrollIntoView({ block: "nearest" });
}

async function imageOf({ url }) {
  if (!url) return null;
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

function shot({ recognized, ambiguous, unknown }, photo, image, number) {
  if (!image) return copyOf("t-unseen");
  const piece = copyOf("t-shot");
  const place = piece.querySelector("[data-image]");
  place.src = photo.url;
  const on = (face) => face.photo === number;
  const or = ` ${byId("take").dataset.wordsOr} `;
  const faces = [
    ...unknown.filter(on).map(({ box }) => ({ box, kind: "unknown", label: "" })),
    ...ambiguous.filter(on).map(({ box, candidates }) => ({
      box,
      kind: "doubt",
      label: `${candidates.map((one) => one.student.full_name).join(or)}?`,
    })),
    ...recognized.filter(on).map(({ box, student }) => ({
      box,
      kind: "known",
      label: student.full_name,
    })),
  ];
  // What a screen reader is told of the picture; the list above says it at length.
  place.alt = faces.map((face) => face.label || byId("take").dataset.wordsUnknown).join(", ");
  const size = { width: photo.width, height: photo.height };
  drawBoxes(piece.querySelector("[data-boxes]"), faces, size);
  return piece;
}

function doubt({ box, candidates, isUnknown }, image) {
  const item = copyOf("t-doubt").firstElementChild;
  item.classList.toggle("doubt--unknown", isUnknown);
  const canvas = item.querySelector("canvas");
  if (image) drawFace(canvas, image, box);
  else canvas.remove();
  const answers = item.querySelector("[data-answers]");
  for (const { student } of candidates) {
    const button = copyOf("t-answer").firstElementChild;
    button.textContent = student.full_name;
    button.value = `${student.id}:present`;
    answers.append(button);
  }
  const others = item.querySelector("select");
  for (const option of rosterOptions()) others.append(option);
  const other = item.querySelector("[data-other]");
  others.addEventListener("change", () => {
    other.disabled = !others.value;
    other.value = `${others.value}:present`;
  });
  item.querySelector("[data-nobody]").addEventListener("click", () => settle(item));
  item.addEventListener("swap:done", () => settle(item));
  item.addEventListener("keydown", (event) => byKey(event, item));
  return item;
}

/** Everybody of the class who isn't marked yet, as the register on the page says. */
function rosterOptions() {
  const names = document.querySelectorAll('#register [data-keys] .row-name[id^="n"]');
  return [...names].map((name) => new Option(name.textContent, name.id.slice(1)));
}

/** Keys work while the question has the focus, and nowhere else. */
function byKey(event, item) {
  if (event.target.matches("select")) return;
  const answers = item.querySelectorAll("[data-answers] button");
  const chosen = event.key === "0" ? item.querySelector("[data-nobody]") : answers[event.key - 1];
  if (!chosen) return;
  event.preventDefault();
  chosen.click();
}

/** Take a settled question off the list, and lead to the next one. */
function settle(item) {
  const next = item.nextElementSibling ?? item.previousElementSibling;
  const list = item.closest("[data-doubts]");
  item.remove();
  if (next) next.focus();
  else {
    list.hidden = true;
    byId("h-register")?.focus();
  }
}
