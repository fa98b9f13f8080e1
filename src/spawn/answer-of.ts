import { execFile } from 'node:child_process'

/**
 * What a program writes to its standard output, at most 1 MiB; null if it cannot be run, does not exit with
 * 0, or takes longer than `timeoutMs`. It gets this program's environment, and no standard input.
 */
export function answerOf(
  program: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<string | null> {
  return new Promise(resolve => {
    try {
      const child = execFile(program, args, { timeout: timeoutMs, encoding: 'utf8' }, (error, stdout) =>
        resolve(error === null ? stdout : null),
      )
      child.stdin?.on('error', () => {}).end()
    } catch {
      // Some errnos spawn() throws: ENOMEM, what Node's permission model refuses.
      resolve(null)
    }
  })
}
