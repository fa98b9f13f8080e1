/** Of an entry of a task's output index, with its check (docs/native-protocol.md). */
export const entryBytes = 40

/** FNV-1a of what comes before the check itself. */
export function checkOf(entry: Uint8Array): number {
  let sum = 2166136261
  for (let at = 0; at < entryBytes - 4; at++) sum = Math.imul(sum ^ (entry[at] ?? 0), 16777619)
  return sum >>> 0
}
