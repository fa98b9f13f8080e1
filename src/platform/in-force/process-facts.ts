import { readlinkSync, statSync } from 'node:fs'
import { kernelFacts, type KernelFacts, type ProcessIdentity } from '../../../machines/index.ts'
import { readText, textIfReadable } from '../../if-there.ts'
import { threadThatGoesOn } from '../../spawn/process-table.ts'

/** What is read of a process for its rows. */
export type ProcessFacts = KernelFacts & {
  /** /proc/PID/limits; null: whoever reads may not know them. */
  readonly limits: string | null
}

/**
 * Null: there is no such process (any more), it may not be read, or this is no Linux. Never of another that
 * has its pid by now, nor of a thread that was ending meanwhile: that one has let go of some and not of
 * others.
 */
export function processFacts(identity: ProcessIdentity): ProcessFacts | null {
  if (process.platform !== 'linux') return null
  let thread = threadThatGoesOn(identity)
  for (let tries = 0; thread !== null && tries < maxTries; tries++) {
    const facts = factsOf(`/proc/${identity.pid}/task/${thread}`)
    // Asked last: what was read is of that very process and thread.
    const after = threadThatGoesOn(identity)
    if (after === thread)
      return kernelFacts.fault(facts) === null ? { ...kernelFacts.known(facts), limits: facts.limits } : null
    thread = after
  }
  return null
}

/** Of one whose first thread has ended, and whose others come and go. */
const maxTries = 20

function factsOf(at: string) {
  return {
    status: statusOf(readText(`${at}/status`, 'latin1')),
    namespaces: Object.fromEntries(links.map(name => [name, linkOf(`${at}/ns/${name}`)])),
    root: rootOf(at),
    limits: textIfReadable(`${at}/limits`, 'latin1'),
  }
}

/** As those of this process are called. */
export function ownNamespaces(): KernelFacts['namespaces'] {
  return Object.fromEntries(links.map(name => [name, linkOf(`/proc/self/ns/${name}`)]))
}

export function ownRoot(): string | null {
  return rootOf('/proc/self')
}

const links = ['mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net', 'user']

function statusOf(text: string): Record<string, string> {
  const lines = text.matchAll(/^(\w+):[\t ]*(.*?) *$/gm)
  return Object.fromEntries([...lines].map(([, name = '', value = '']): [string, string] => [name, value]))
}

function linkOf(path: string): string | null | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : null
  }
}

function rootOf(at: string): string | null {
  try {
    const { dev, ino } = statSync(`${at}/root/`, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return null
  }
}
