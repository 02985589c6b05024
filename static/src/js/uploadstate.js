// What the upload client remembers and decides, apart from the page.
const KEY = "batchportal.uploads";
const KEEP = 7 * 86400_000;

/** What is remembered of an upload, so that it can go on after a reload. */
export function remember(storage, entry, now) {
  const all = recall(storage, now);
  all[entry.operation] = { ...entry, at: now };
  save(storage, all);
}

export function forget(storage, operation) {
  const all = recall(storage, 0);
  delete all[operation];
  save(storage, all);
}

/** Uploads that were begun in this browser and not finished, by operation. Old ones have expired at the server too. */
export function recall(storage, now) {
  let all = {};
  try {
    all = JSON.parse(storage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
  return Object.fromEntries(Object.entries(all).filter(([, entry]) => !now || now - entry.at < KEEP));
}

function save(storage, all) {
  try {
    storage.setItem(KEY, JSON.stringify(all));
  } catch {
    // Storage is full or forbidden: the upload works, only a reload cannot continue it.
  }
}

/** Whether a chosen file is the one that an upload began with. */
export function isSameFile(entry, file) {
  return entry.name === file.name && entry.size === file.size && entry.modified === file.lastModified;
}

/** Percent of a whole, never 100 before all is done. */
export function share(done, total) {
  if (total <= 0) return 100;
  return done >= total ? 100 : Math.min(99, Math.floor((done / total) * 100));
}

/** Both legs as one figure. */
export function combined(first, last) {
  return first >= 100 && last >= 100 ? 100 : Math.min(99, Math.floor((first + last) / 2));
}

/** What an error of the tus client means: "gone" (start again), "refused" (with a reason), or "failed" (try again). */
export function errorKind(status) {
  if (status === 404 || status === 410) return "gone";
  if ([400, 401, 403, 413, 415, 422].includes(status)) return "refused";
  return "failed";
}

/** Whether the tus client should try again by itself. 409 and 423: another request still holds the upload. */
export function shouldRetry(status) {
  return !status || status >= 500 || [408, 409, 423, 425, 429].includes(status);
}
