import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

const programs = fileURLToPath(new URL('../fixtures/programs/', import.meta.url))

export type FixtureOptions = {
  readonly stateDir: string
  readonly arguments?: readonly string[]
  /** Descriptors to leave open to the program, at these numbers. */
  readonly descriptors?: Readonly<Record<number, number>>
  /** A shell script that becomes the program by `exec "$@"`. */
  readonly through?: string
  readonly env?: Readonly<Record<string, string>>
}

export type FixtureResult = {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | undefined
}

/** Runs one of test/fixtures/programs in a Node process of its own, and waits for its end. */
export async function runFixture(name: string, options: FixtureOptions): Promise<FixtureResult> {
  const { stdout, stderr, exitCode } = await startFixture(name, options)
  if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}: ${stderr}`)
  return { stdout, stderr, exitCode }
}

/** The same, without waiting. */
export function startFixture(
  name: string,
  { stateDir, arguments: args = [], through, descriptors = {}, env = {} }: FixtureOptions,
) {
  const node = [process.execPath, '--import', import.meta.resolve('tsx'), `${programs}${name}`, ...args]
  const [program = '', ...rest] = through === undefined ? node : ['/bin/sh', '-c', through, 'sh', ...node]
  const last = Math.max(2, ...Object.keys(descriptors).map(Number))
  // Node takes descriptors here; the types of execa do not say so.
  const more = Array.from(
    { length: last - 2 },
    (_, index) => (descriptors[index + 3] ?? 'ignore') as 'ignore',
  )
  return execa(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe', ...more],
    reject: false,
    stripFinalNewline: false,
    env: { HOLDFAST_STATE_DIR: stateDir, ...env },
    timeout: 120_000,
  })
}
