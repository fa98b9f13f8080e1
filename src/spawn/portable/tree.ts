/**
 * The processes of a task, as far as the system lets its parent reach them. None of it throws: who has ended
 * in the meantime is told by the exit.
 */
export interface Tree {
  /** To the leader alone. */
  signal(signal: number): void
  /** Asks everybody to end, or the leader alone. */
  ask(signal: number, target: 'group' | 'leader'): void
  /** Kills everybody. */
  kill(): void
  /**
   * After the leader's end: kills what it has left, and resolves to the pids of those who live on after
   * `maxMs`.
   */
  end(maxMs: number): Promise<readonly number[]>
}
