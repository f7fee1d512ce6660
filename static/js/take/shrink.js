/** Photos made small before they go up, and shown from the browser's own memory. */

/**
 * Return `{blob, url, width, height}` with a longer side of at most `maxSide` pixels.
 *
 * Where the browser can't draw the file (HEIC, mostly) the file itself is returned, with
 * an empty `url`: the server can read more formats than the browser.
 */
export async function shrink(file, maxSide) {
  let picture;
  try {
    picture = await createImageBitmap(file); // upright: the EXIF turn is applied
  } catch {
    return { blob: file, url: "", width: 0, height: 0 };
  }
  const scale = Math.min(1, maxSide / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  const pen = canvas.getContext("2d", { alpha: false });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
  return shown(blob, canvas.width, canvas.height);
}

/** Wrap a picture that was taken by the camera. */
export function shown(blob, width, height) {
  return { blob, url: URL.createObjectURL(blob), width, height };
}

export function forgetPhotos(photos) {
  for (const { url } of photos) if (url) URL.revokeObjectURL(url);
}

/** Draw a face with a little of its surroundings onto a small canvas. */
export function drawFace(canvas, image, [x, y, w, h]) {
  const side = Math.max(w, h) * 1.5;
  const pen = canvas.getContext("2d");
  pen.drawImage(
    image,
    x + w / 2 - side / 2,
    y + h / 2 - side / 2,
    side,
    side,
    0,
    0,
    canvas.width,
    canvas.height,
  );
}
