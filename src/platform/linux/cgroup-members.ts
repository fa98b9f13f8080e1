import { join } from 'node:path'
import { readText } from '../../if-there.ts'
import { directoriesIn } from './cgroup-parents.ts'

/** All groups below one, the deepest first. */
export function groupsBelow(dir: string): string[] {
  return directoriesIn(dir).flatMap(name => [...groupsBelow(join(dir, name)), join(dir, name)])
}

/**
 * The pids in a cgroup and in those below it: of exec sessions, and what the task has made. 0 for one that
 * this pid namespace cannot see; none of a cgroup that is gone.
 */
export function processesIn(dir: string): number[] {
  return [dir, ...groupsBelow(dir)].flatMap(group =>
    readText(join(group, 'cgroup.procs')).split('\n').filter(Boolean).map(Number),
  )
}
