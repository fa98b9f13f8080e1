import { spawnSync } from 'node:child_process'

/**
 * For each thing that isolating a task takes: 0, or the errno with which it was refused. See
 * src/spawn/native/probe.c.
 */
export type Probe = {
  readonly user: number
  /** Of the user namespace: what was refused. Then nothing else has been tried. */
  readonly step?: string
  /** Whose numbers are mapped in it: everybody's, this user's, or nobody's. */
  readonly ids?: 'all' | 'own' | 'none'
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
 * Has the native program try what isolation takes, from inside a user namespace of its own. Takes some
 * milliseconds, in which this process waits.
 * Null when the program cannot be run.
 */
export function probe(program: string): Probe | null {
  return answer<Probe>(program, ['probe'])
}

/** What the native program says of its build and of this kernel. */
export type NativeFeatures = {
  readonly version: number
  readonly static: boolean
  readonly libc: string
  readonly arch: string
  readonly seccomp: boolean
  readonly openat2: boolean
  readonly mountSetattr: boolean
  /** The version of Landlock that tasks are kept apart by; 0: none, or one too old. */
  readonly landlock: number
}

/** Null when the program cannot be run. */
export function nativeFeatures(program: string): NativeFeatures | null {
  return answer<NativeFeatures>(program, ['features'])
}

function answer<Answer>(program: string, args: readonly string[]): Answer | null {
  const { stdout, status } = spawnSync(program, args, {
    encoding: 'utf8',
    env: {},
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 10_000,
  })
  if (status !== 0) return null
  try {
    return JSON.parse(stdout) as Answer
  } catch {
    return null
  }
}
