// Jobs in words: what a job holds, how far it is, and when it ends.

import { countText, durationText } from "../../components/quantities.js";
import { url } from "../../shell/api.js";

/** @typedef {import("../../shell/job.js").Job} Job */

/** Index of the first image of each split. The `start` of a job counts from it. */
const SPLIT_STARTS = new Map([
  ["validation", 2 ** 51],
  ["test", 2 ** 52],
]);
const DAY_MS = 24 * 3600 * 1000;

/** @param {Job} job */
export function firstIndex(job) {
  return job.start + (SPLIT_STARTS.get(job.split ?? "") ?? 0);
}

/**
 * Return whether the images of a job are some of its candidates, so that positions differ from indices.
 * @param {Job} job
 */
export function isSelection(job) {
  return job.keep !== null || job.copies === "drop" || job.distinct !== null || job.excluded > 0;
}

/** @param {Job} job */
export function isExpired(job) {
  return job.state === "succeeded" && job.expires !== null && new Date(job.expires).getTime() <= Date.now();
}

/** @param {Job} job */
export function title(job) {
  return job.name ?? `${countText(job.n)} ${job.model}`;
}

/** @param {Job} job */
export function details(job) {
  const classes = job.classes ? Object.entries(job.classes).map(([name, n]) => `${countText(n)} ${name}`) : [];
  return [
    job.name ? `${countText(job.n)} ${job.model}` : "",
    job.class ?? classes.join(", "),
    `seed ${job.seed}`,
    job.start ? `from ${countText(job.start)}` : "",
    job.split ?? "",
    job.keep === null ? "" : `best ${Math.round(job.keep * 1000) / 10} %`,
    job.copies === "drop" ? "no copies" : "",
    job.distinct === null ? "" : "no near-duplicates",
    job.style ? "styled" : "",
    job.layout && job.layout !== "imagefolder" ? `${job.format}, ${job.layout}` : job.format,
    job.excluded ? `${countText(job.excluded)} replaced` : "",
  ].filter(Boolean);
}

/** @param {string} time */
export function when(time) {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  const text = date.toLocaleString("en", {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    ...(isToday ? {} : { day: "numeric", month: "short" }),
  });
  return isToday ? `today ${text}` : text;
}

/**
 * Return the name of the time since a job was created: a heading of the list of jobs.
 * @param {string} time
 * @param {Date} [now]
 */
export function period(time, now = new Date()) {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const days = Math.ceil((midnight.getTime() - new Date(time).getTime()) / DAY_MS);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return days <= 7 ? "The last 7 days" : "Older";
}

/**
 * Return the state of a job in a few words.
 * @param {Job} job
 * @param {Job[]} [others] all open jobs, to say how many wait before this one
 */
export function progressText(job, others = []) {
  if (job.state === "queued") {
    const before = others.filter((other) => !other.done && other.id !== job.id && other.created < job.created);
    const images = before.reduce((sum, other) => sum + other.images_total - other.images_done, 0);
    return before.length > 0 ? `waits for ${before.length} jobs, ${countText(images)} images` : "waits for a worker";
  }
  if (job.state === "running") {
    if (job.phase === "learning style") {
      return `learns the style, ${Math.round(100 * (job.style_learnt ?? 0))} %`;
    }
    const speed = job.images_per_s ? `, ${countText(Math.round(job.images_per_s))}/s` : "";
    const left = job.eta_seconds === null ? "" : `, ${durationText(job.eta_seconds)} left`;
    return `${countText(job.images_done)} of ${countText(job.images_total)}${speed}${left}`;
  }
  if (job.state === "failed") {
    return job.error ? `failed: ${job.error.message}` : "failed";
  }
  if (job.state === "cancelled") {
    return "cancelled";
  }
  return isExpired(job) ? "images removed" : `done ${when(job.finished ?? job.created)}`;
}

/** @param {Job} job */
export function archiveUrl(job) {
  return url(job.links["download"] ?? "");
}

/** @param {Job} job */
export function archiveSuffix(job) {
  return (job.links["download"] ?? "").split(".").pop() ?? "zip";
}
