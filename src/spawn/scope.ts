/**
 * What became of the wish that the spawner, and with it all shims, live in a unit of the service manager's
 * that is not the supervisor's own. `path` is its cgroup as /proc/<pid>/cgroup names it
 * (`/system.slice/holdfast-….scope`), where the host has a cgroup2 hierarchy.
 */
export type Scope =
  { readonly unit: string; readonly path: string | null } | { readonly reason: string; readonly hint: string }

/** One try: a command line that becomes the program given, in a scope of its own. */
export type ScopedStart = {
  readonly command: readonly [file: string, ...args: string[]]
  readonly env: Readonly<Record<string, string>>
  /** Whether it got there, asked once the program runs. */
  readonly verify: (pid: number) => Scope
}

/** Null: nobody on this host manages units for this user, and processes stay where they were started. */
export type Scoping = (program: string, args: readonly string[]) => ScopedStart | null
