/** Boxes over a picture: green with a name, amber with two, grey for nobody known. */

/**
 * Draw faces into a layer that covers the picture.
 *
 * A face is `{box: [x, y, w, h], kind: "known"|"once"|"doubt"|"unknown", label}` in
 * pixels of a picture of `width` x `height`. Left is left in every language.
 */
export function drawBoxes(layer, faces, { width, height, mirrored = false }) {
  const boxes = faces.map(({ box, kind, label }) => {
    const [x, y, w, h] = box;
    const left = mirrored ? width - x - w : x;
    const element = document.createElement("div");
    element.className = `box box--${kind}`;
    const middle = (left + w / 2) / width;
    if (middle < 0.2) element.classList.add("box--left");
    else if (middle > 0.8) element.classList.add("box--right");
    if ((y + h) / height > 0.9) element.classList.add("box--up");
    element.style.left = `${(100 * left) / width}%`;
    element.style.top = `${(100 * y) / height}%`;
    element.style.width = `${(100 * w) / width}%`;
    element.style.height = `${(100 * h) / height}%`;
    if (label) {
      const name = document.createElement("span");
      name.className = "box-name";
      name.dir = "auto";
      name.textContent = label;
      element.append(name);
    }
    return element;
  });
  layer.replaceChildren(...boxes);
  // A photo's layer is put on the page after this; only there it has a size.
  requestAnimationFrame(() => keepApart(boxes));
}

/** Put a name above its box where it would cover another one below. */
function keepApart(boxes) {
  const placed = [];
  for (const box of boxes) {
    const name = box.querySelector(".box-name");
    if (!name) continue;
    const covers = () => {
      const mine = name.getBoundingClientRect();
      return placed.some((other) => meet(mine, other));
    };
    if (covers()) {
      box.classList.toggle("box--up");
      if (covers()) box.classList.toggle("box--up");
    }
    placed.push(name.getBoundingClientRect());
  }
}

function meet(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
