import { taskMachine } from '../../machines/index.ts'

/**
 * The machine's configuration as plain JSON, as Stately Studio and createMachine() take it: what is a
 * function becomes the name of what it does.
 */
export function machineConfig(): unknown {
  return plain(taskMachine.config)
}

/** Where the configuration has functions of which only the result counts. */
const computed = new Set(['context', 'input'])

function plain(value: unknown): unknown {
  if (typeof value === 'function') return { type: nameOf(value) }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, part]) => !(computed.has(name) && typeof part === 'function'))
      .map(([name, part]) => [name, plain(part)]),
  )
}

/**
 * XState's own action creators keep what they were given beside the function: `assign outcome`, `spawnChild
 * watch`.
 */
function nameOf(action: object): string {
  const { type, src, actorId, assignment } = action as Partial<Record<string, unknown>>
  const verb = typeof type === 'string' ? type.replace(/^xstate\./, '') : 'inline'
  const fields =
    typeof assignment === 'object' && assignment !== null ? Object.keys(assignment).join(', ') : ''
  const object = [src, actorId].find((name): name is string => typeof name === 'string') ?? fields
  return `${verb} ${object}`.trim()
}
