/**
 * The steps of a task's life between which its supervisor may die, in order. docs/crash-points.md has what is
 * true at each; the crash matrix (test/supervisor) dies at every one of them.
 */
export const crashPoints = [
  'start-asked',
  'directories-planned',
  'directory-made',
  'state-half-written',
  'intent-written',
  'request-sent',
  'started-received',
  'running-published',
  'journal-written',
  'running-saving',
  'running-saved',
  'stopping-saving',
  'stopping-saved',
  'stop-sent',
  'stopping-published',
  'kill-sending',
  'kill-sent',
  'gone-seen',
  'outcome-known',
  'exited-published',
  'exited-saving',
  'exited-saved',
  'found-running',
  'found-ended',
  'destroy-begun',
  'destroy-cgroups-removed',
  'destroy-allocation-removed',
  'destroy-records-removed',
  'destroy-state-removed',
  'destroy-done',
] as const

/** Those of a task with `diskBytes`, between `intent-written` and `request-sent`. */
export const diskPoints = ['disk-made', 'disk-mounted'] as const

/** The same where its file system has project quotas. */
export const projectPoints = ['project-chosen', 'project-made'] as const

/** Those of a start under `strict`, between `request-sent` and `started-received`. */
export const strictPoints = ['start-held', 'start-compared'] as const

/** Those of a task with a user of its own, before `directories-planned` and after it. */
export const userPoints = ['user-claimed', 'user-recorded'] as const

const allPoints = [...crashPoints, ...diskPoints, ...projectPoints, ...userPoints, ...strictPoints] as const

export type CrashPoint = (typeof allPoints)[number]

/**
 * Kills this process when HOLDFAST_FAULT names the point: `name`, or `name:n` for its n-th pass. For tests of
 * what a crash leaves behind; read once, so that where it is not set a point costs the call of an empty
 * function.
 */
export const failpoint: (point: CrashPoint) => void = armed(process.env.HOLDFAST_FAULT)

function armed(wish: string | undefined): (point: CrashPoint) => void {
  if (!wish) return () => {}
  const [name, pass = '1'] = wish.split(':')
  if (!allPoints.some(point => point === name))
    throw new Error(`HOLDFAST_FAULT names ${name}, which is no failpoint`)
  let left = Number(pass)
  return point => {
    if (point === name && --left === 0) process.kill(process.pid, 'SIGKILL')
  }
}
