/** One way to run a program to its end: what is compared. */
export interface Contender {
  readonly name: string
  /** Of the peer as installed; null for what comes with Node or is ours. */
  readonly version: string | null
  /** What it does to the program, and what it leaves of it. */
  readonly does: string
  /**
   * From the request to the knowledge that /bin/true has ended well; rejects for anything else. Calls in
   * flight at the same time have different slots, counted from 0. Resolves to what is still to be tidied up,
   * which is not part of the figure.
   */
  run(slot: number): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** A contender that cannot run here, and why. */
export type Skipped = { readonly name: string; readonly reason: string }

export const nothingToTidy = async (): Promise<void> => {}
