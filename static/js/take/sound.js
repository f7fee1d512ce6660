/** A soft sound for each new name; made by the browser, no file. */

const MUTED = "rollbook.muted";
let context = null;

export function isMuted() {
  try {
    return localStorage.getItem(MUTED) === "yes";
  } catch {
    return false;
  }
}

export function setMuted(yes) {
  try {
    localStorage.setItem(MUTED, yes ? "yes" : "no");
  } catch {
    // A private window may keep nothing.
  }
}

/** Two short notes; silent until the user has touched the page, as browsers want it. */
export function chime() {
  if (isMuted() || !navigator.userActivation?.hasBeenActive) return;
  context ??= new AudioContext();
  note(659.3, 0); // E5
  note(987.8, 0.09); // B5
}

function note(frequency, delay) {
  const start = context.currentTime + delay;
  const tone = new OscillatorNode(context, { frequency, type: "sine" });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.linearRampToValueAtTime(0.12, start + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, start + 0.35);
  tone.connect(volume).connect(context.destination);
  tone.start(start);
  tone.stop(start + 0.4);
}
