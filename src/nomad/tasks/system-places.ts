import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../../index.ts'

/** At the top of a task's root these are the kernel's, and what a job puts there cannot be. */
const kernels = ['dev', 'proc', 'sys']
/** In these a job's files lie among the node's. */
const systems = ['bin', 'etc', 'lib', 'lib32', 'lib64', 'sbin', 'usr']

const hint = 'Give the artifact or template a destination in local/, and have the program look there.'

/** Whether a directory at the top of a task's root has files of the node's. */
export function isSystemPlace(name: string): boolean {
  return systems.includes(name)
}

/**
 * For a destination of an artifact or a template, relative to the task's directory. Throws UNSUPPORTED where
 * it is in a directory of the kernel's.
 */
export function checkDestination(destination: string): void {
  const [top = ''] = destination.split('/').filter(part => part !== '' && part !== '.')
  if (kernels.includes(top)) throw refused(`${top}/ in a task's root is the kernel's`)
}

/**
 * The same for what the client has already put there. `hasOwnRoot` is asked where something lies among the
 * node's files; without a root of its own a task would not see it.
 */
export async function checkPlaces(taskDir: string, hasOwnRoot: () => Promise<boolean>): Promise<void> {
  const at = (name: string) => lstatSync(join(taskDir, name), { throwIfNoEntry: false })
  const taken = kernels.find(at)
  if (taken !== undefined) checkDestination(taken)
  const found = systems.filter(at)
  const plain = found.find(name => !at(name)?.isDirectory())
  if (plain !== undefined) throw refused(`${plain} in a task's directory has to be a directory, and no link`)
  const [first] = found
  if (first !== undefined && !(await hasOwnRoot()))
    throw refused(`${first}/ is the node's, read-only: here tasks get no root of their own`)
}

function refused(why: string): HoldfastError {
  return new HoldfastError('UNSUPPORTED', why, { hint })
}
