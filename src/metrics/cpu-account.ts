/**
 * CPU time over all tasks, which never goes down: of those that run by the latest sample, of those that have
 * ended by their result.
 */
export class CpuAccount {
  readonly #running = new Map<string, number>()
  readonly #ended = new Set<string>()
  #endedMs = 0

  sampled(key: string, cpuMs: number | null): void {
    if (cpuMs === null || this.#ended.has(key)) return
    this.#running.set(key, Math.max(cpuMs, this.#running.get(key) ?? 0))
  }

  ended(key: string, usage: { readonly cpuUserMs: number; readonly cpuSystemMs: number } | null): void {
    if (this.#ended.has(key)) return
    const last = this.#running.get(key) ?? 0
    this.#running.delete(key)
    this.#ended.add(key)
    this.#endedMs += Math.max(last, usage === null ? 0 : usage.cpuUserMs + usage.cpuSystemMs)
  }

  /** Of those that are not there any more nothing need be remembered. */
  keepOnly(keys: { has(key: string): boolean }): void {
    for (const key of this.#ended) if (!keys.has(key)) this.#ended.delete(key)
    for (const key of [...this.#running.keys()]) if (!keys.has(key)) this.ended(key, null)
  }

  get seconds(): number {
    return [...this.#running.values()].reduce((sum, ms) => sum + ms, this.#endedMs) / 1000
  }
}
