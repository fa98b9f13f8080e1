/** Whose exit code is a task's. */
const asTasks: ReadonlySet<string> = new Set(['run', 'wait', 'exec', 'attach'])

/**
 * The exit code of a command that failed itself: as a shell's where the program could not be executed. 1 of
 * `verify` and `nomad-check` says that something differs.
 */
export function failureExitCode(command: string, error: unknown): number {
  if (command === 'verify' || command === 'nomad-check') return 2
  if (!asTasks.has(command)) return 1
  const { stage, errno } = error as { stage?: unknown; errno?: unknown }
  if (stage !== 'exec') return 125
  return errno === 'ENOENT' ? 127 : 126
}
