/**
 * The browser's camera: open one, choose another, take frames, say what is wrong.
 *
 * Words for people stand in the page, so that they are translated there:
 * `{% include "camera/faults.html" %}` holds one template a code.
 */

const CHOICE = "rollbook.camera"; // {deviceId, facing} of this browser's last choice

/** A camera that can't be used; `code` is denied, none, busy, insecure or failed. */
export class CameraError extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.name = "CameraError";
    this.code = code;
  }
}

const CODES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "none",
  DevicesNotFoundError: "none",
  NotReadableError: "busy",
  TrackStartError: "busy",
  AbortError: "busy",
};

/** What the user chose before: `{deviceId, facing}`, each possibly undefined. */
export function rememberedChoice() {
  try {
    return JSON.parse(localStorage.getItem(CHOICE)) ?? {};
  } catch {
    return {};
  }
}

function remember(choice) {
  try {
    localStorage.setItem(CHOICE, JSON.stringify(choice));
  } catch {
    // A private window may keep nothing; the choice then lasts for this page.
  }
}

/**
 * Show a camera in a `<video>` (which gets playsinline, muted and `data-mirrored`).
 *
 * `deviceId` picks a device, `facing` ("user" or "environment") a side; what is given
 * is remembered, and what isn't is taken from the last choice. Rejects with CameraError;
 * after `signal` was aborted with the signal's reason, and the camera is off again.
 */
export async function openCamera(video, { deviceId, facing } = {}, signal = null) {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
    throw new CameraError("insecure");
  }
  const chosen = deviceId || facing ? { deviceId, facing } : rememberedChoice();
  const stream = await streamFor(chosen);
  if (signal?.aborted) {
    for (const track of stream.getTracks()) track.stop();
    throw signal.reason;
  }
  if (deviceId || facing) remember(chosen);
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  const camera = new Camera(video, stream, chosen.facing);
  try {
    await video.play();
    await sized(video);
  } catch (error) {
    camera.stop();
    throw signal?.aborted ? signal.reason : new CameraError("failed", error);
  }
  if (!signal?.aborted) return camera;
  camera.stop();
  throw signal.reason;
}

async function streamFor({ deviceId, facing }) {
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  const wanted = { ...size, facingMode: facing ?? "user" };
  try {
    if (deviceId) {
      const exact = { ...size, deviceId: { exact: deviceId } };
      return await navigator.mediaDevices.getUserMedia({ video: exact });
    }
    return await navigator.mediaDevices.getUserMedia({ video: wanted });
  } catch (error) {
    if (error.name !== "OverconstrainedError" && !(deviceId && error.name === "NotFoundError")) {
      throw new CameraError(CODES[error.name] ?? "failed", error);
    }
  }
  // The remembered device is gone, or no camera has that size: any one will do.
  try {
    return await navigator.mediaDevices.getUserMedia({ video: true });
  } catch (error) {
    throw new CameraError(CODES[error.name] ?? "failed", error);
  }
}

/** Wait until the size of the pictures is known. */
function sized(video) {
  if (video.videoWidth) return Promise.resolve();
  return new Promise((resolve) =>
    video.addEventListener("loadeddata", resolve, { once: true }),
  );
}

/** An open camera. Fires `lost` when the device is pulled out or taken away. */
export class Camera extends EventTarget {
  #video;
  #stream;
  #canvas = document.createElement("canvas");

  constructor(video, stream, facing) {
    super();
    this.#video = video;
    this.#stream = stream;
    const [track] = stream.getVideoTracks();
    const settings = track.getSettings();
    this.deviceId = settings.deviceId ?? "";
    this.facing = settings.facingMode ?? facing ?? "user";
    // People expect a mirror of themselves, but not of the room in front of them.
    this.mirrored = this.facing !== "environment";
    track.addEventListener("ended", () => this.dispatchEvent(new Event("lost")));
  }

  /** Whether the picture on the page is mirrored; frames never are. */
  get mirrored() {
    return this.#video.dataset.mirrored === "true";
  }

  set mirrored(yes) {
    this.#video.dataset.mirrored = String(Boolean(yes));
  }

  /** `{width, height}` of the pictures, in pixels. */
  get size() {
    return { width: this.#video.videoWidth, height: this.#video.videoHeight };
  }

  get isOn() {
    return this.#stream.getVideoTracks().some((track) => track.readyState === "live");
  }

  /** End it, and let the camera's light go out. */
  stop() {
    for (const track of this.#stream.getTracks()) track.stop();
    if (this.#video.srcObject === this.#stream) this.#video.srcObject = null;
  }

  /**
   * Take a frame as a JPEG blob whose longer side has at most `maxSide` pixels.
   *
   * It is not mirrored; `blob.width` and `blob.height` give its size.
   */
  async grab(maxSide = 640, quality = 0.85) {
    const { width, height } = this.size;
    if (!width) throw new CameraError("failed");
    const scale = Math.min(1, maxSide / Math.max(width, height));
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    const pen = this.#canvas.getContext("2d", { alpha: false });
    pen.drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    const blob = await new Promise((done) =>
      this.#canvas.toBlob(done, "image/jpeg", quality),
    );
    if (!blob) throw new CameraError("failed");
    return Object.assign(blob, {
      width: this.#canvas.width,
      height: this.#canvas.height,
    });
  }

  /** All cameras as `[{deviceId, label, current}]`; labels need a granted camera. */
  async devices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all
      .filter((device) => device.kind === "videoinput")
      .map(({ deviceId, label }) => ({
        deviceId,
        label,
        current: deviceId === this.deviceId,
      }));
  }
}

/** Whether the camera would open without a question. */
export async function isGranted() {
  try {
    const { state } = await navigator.permissions.query({ name: "camera" });
    return state === "granted";
  } catch {
    return false; // a browser that doesn't tell: ask by a click
  }
}

/**
 * Return the page's words for a fault as a fragment, ready to be put on the page.
 *
 * `root` holds `<template data-camera-fault="denied|none|busy|insecure|failed">`.
 */
export function faultWords(error, root = document) {
  const code = error instanceof CameraError ? error.code : "failed";
  const found =
    root.querySelector(`template[data-camera-fault="${code}"]`) ??
    root.querySelector('template[data-camera-fault="failed"]');
  return found.content.cloneNode(true);
}

/** Keep the screen on; returns a function that lets it sleep again. */
export function keepAwake() {
  let lock = null;
  let over = false;
  const ask = async () => {
    if (over || document.visibilityState !== "visible") return;
    try {
      lock = await navigator.wakeLock?.request("screen");
      if (over) await lock?.release();
    } catch {
      lock = null; // battery saver, or a browser without it: nothing is lost
    }
  };
  // The browser takes the lock back whenever the page is hidden.
  document.addEventListener("visibilitychange", ask);
  ask();
  return () => {
    over = true;
    document.removeEventListener("visibilitychange", ask);
    lock?.release().catch(() => {});
  };
}
