import type { ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { assertSpareDescriptors } from './spare-descriptors.ts'
import { spawnFailed, startProcess } from './start-process.ts'

export type SpawnerProcess = ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable }

/**
 * Throws a HoldfastError when there is no descriptor for it; what cannot be executed is told by its event
 * `error`.
 */
export function startSpawner(
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): SpawnerProcess {
  assertSpareDescriptors()
  // The shims are its children; it goes by itself when its standard input ends. It must not keep a directory
  // busy for as long as it lives.
  const child = startProcess(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...env }, cwd: '/' })
  // Out of descriptors after all.
  if (!child.stdout) throw spawnFailed(Object.assign(new Error('no descriptors'), { code: 'EMFILE' }))
  return child as SpawnerProcess
}
