import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../../index.ts'

/** At the top of a task's root these are the node's, and what a job puts there cannot be. */
const systemPlaces = ['bin', 'dev', 'etc', 'lib', 'lib32', 'lib64', 'proc', 'sbin', 'sys', 'usr']

/**
 * For a destination of an artifact or a template, relative to the task's directory. Throws UNSUPPORTED where
 * it is in a directory of the node's.
 */
export function checkDestination(destination: string): void {
  const [top = ''] = destination.split('/').filter(part => part !== '' && part !== '.')
  if (!systemPlaces.includes(top)) return
  throw new HoldfastError('UNSUPPORTED', `${top}/ in a task's root is the node's, read-only`, {
    hint: 'Give the artifact or template a destination in local/, and have the program look there.',
  })
}

/** The same for what the client has already put there. */
export function checkPlaces(taskDir: string): void {
  const taken = systemPlaces.find(name => lstatSync(join(taskDir, name), { throwIfNoEntry: false }))
  if (taken !== undefined) checkDestination(taken)
}
