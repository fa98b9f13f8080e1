/**
 * Whether Windows can have a file of this name (Naming Files, Paths, and Namespaces). A colon would open a
 * stream of another file.
 */
export function isWindowsName(name: string): boolean {
  return !/[<>:"/\\|?*\p{Cc}]/u.test(name) && !/[. ]$/.test(name) && !isReserved(name)
}

/** Names of devices, with any ending. */
export function isReserved(name: string): boolean {
  return /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i.test(name)
}
