/** SIGKILL by number alone. One that is gone, or not ours to kill, is left: the next look at it tells. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // As said.
  }
}
