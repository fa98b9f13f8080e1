import { execFile } from 'node:child_process'

/**
 * What a program writes to its standard output, at most 1 MiB; null if it cannot be run, exits with another
 * code than those in `codes` (by default 0), or takes longer than `timeoutMs`. It gets this program's
 * environment, and no standard input.
 */
export function answerOf(
  program: string,
  args: readonly string[],
  timeoutMs: number,
  codes: readonly number[] = [0],
): Promise<string | null> {
  return new Promise(resolve => {
    try {
      const child = execFile(program, args, { timeout: timeoutMs, encoding: 'utf8' }, (error, stdout) =>
        resolve(codes.some(code => code === (error === null ? 0 : error.code)) ? stdout : null),
      )
      child.stdin?.on('error', () => {}).end()
    } catch {
      // Some errnos spawn() throws: ENOMEM, what Node's permission model refuses.
      resolve(null)
    }
  })
}
