/** The walk between two faces: as an animation on the page, and as a video file. */

import { paintFrame } from "../../live/live.js";

/** @typedef {import("../../live/live.js").Frame} Frame */

const LAP_SECONDS = 6;
const FRAMES_PER_SECOND = 30;
const VIDEO_SIDE = 512;

/** Moves a share from 0 to 1 and back, with pauses of the eye at both ends. */
export class Animation {
  #frame = 0;
  #start = 0;

  /** @param {(share: number) => void} onShare called once a frame */
  constructor(onShare) {
    this.onShare = onShare;
  }

  get isRunning() {
    return this.#frame !== 0;
  }

  /** @param {number} share where the animation starts */
  start(share) {
    this.#start = performance.now() - (Math.acos(1 - 2 * share) / (2 * Math.PI)) * LAP_SECONDS * 1000;
    const step = () => {
      this.#frame = requestAnimationFrame(step);
      this.onShare(shareAt((performance.now() - this.#start) / 1000 / LAP_SECONDS));
    };
    this.#frame = requestAnimationFrame(step);
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }
}

/**
 * Return the share of the second face at a part of a lap: 0 at the start, 1 after half a lap, 0 at the end.
 * @param {number} lap
 */
export function shareAt(lap) {
  return Math.round((0.5 - 0.5 * Math.cos(2 * Math.PI * lap)) * 1000) / 1000;
}

/**
 * Record one lap of the walk as a WebM video of 512 px.
 * @param {(share: number) => Promise<Frame>} draw
 * @param {(done: number) => void} onProgress from 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>}
 */
export async function recordLap(draw, onProgress, signal) {
  const small = document.createElement("canvas");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = VIDEO_SIDE;
  const surface = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  surface.imageSmoothingQuality = "high";
  const frames = LAP_SECONDS * FRAMES_PER_SECOND;
  const recorder = new MediaRecorder(canvas.captureStream(FRAMES_PER_SECOND), {
    mimeType: "video/webm",
    videoBitsPerSecond: 4e6,
  });
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  try {
    for (let frame = 0; frame <= frames && !signal.aborted; frame++) {
      const due = pause(1000 / FRAMES_PER_SECOND);
      paintFrame(small, await draw(shareAt(frame / frames)));
      surface.drawImage(small, 0, 0, VIDEO_SIDE, VIDEO_SIDE);
      onProgress(frame / frames);
      await due;
    }
  } finally {
    recorder.stop();
    await stopped;
  }
  signal.throwIfAborted();
  return new Blob(parts, { type: "video/webm" });
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
