import { execaSync } from 'execa'

/** For each thing that isolating a task takes: 0, or the errno with which it was refused. See src/spawn/native/probe.c. */
export type Probe = {
  readonly user: number
  /** Of the user namespace: what was refused. Then nothing else has been tried. */
  readonly step?: string
  readonly mount?: number
  readonly pid?: number
  readonly ipc?: number
  readonly uts?: number
  readonly cgroup?: number
  readonly network?: number
  /** A root of one's own: a tmpfs, and pivot_root to it. */
  readonly root?: number
  /** A /proc of one's own, in a pid namespace of one's own. */
  readonly proc?: number
  readonly mountSetattr?: boolean
}

/**
 * Has the native program try what isolation takes, with the rights of this process or, `rootless`, from inside a user namespace. Takes some milliseconds,
 * in which this process waits. Null when the program cannot be run.
 */
export function probe(program: string, rootless: boolean): Probe | null {
  const { stdout, failed } = execaSync(program, ['probe', ...(rootless ? ['rootless'] : [])], {
    reject: false,
    extendEnv: false,
    cwd: '/',
    stdin: 'ignore',
    timeout: 10_000,
  })
  if (failed) return null
  try {
    return JSON.parse(stdout) as Probe
  } catch {
    return null
  }
}
