import { HoldfastError } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { escaped, json } from '../output/escape.ts'
import { enforcementText } from '../output/result-block.ts'
import { colorsFor } from '../output/terminal.ts'
import { namingFlags } from '../parse/flag-names.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { resourcesOf, type TaskOptions } from './task-options.ts'

export type UpdateOptions = CommonOptions &
  Pick<TaskOptions, 'cpu' | 'cpus' | 'cpuset' | 'memory' | 'pids' | 'timeout' | 'maxOutput'>

export async function update([word = '']: readonly string[], options: UpdateOptions): Promise<number> {
  const resources = resourcesOf(options)
  if (resources === null) {
    throw new HoldfastError('INVALID_ARGUMENT', 'no limit is given', {
      hint: 'For instance: holdfast update TASK --memory 512M',
    })
  }
  return await withSupervisor({ stateDir: options.stateDir }, async supervisor => {
    const { key, name, task } = await findTask(supervisor, word)
    await namingFlags(() => task.update(resources))
    const { enforcement } = task
    if (options.json) process.stdout.write(`${json({ task: { key, name }, id: task.id(), enforcement })}\n`)
    else {
      const limits = enforcement.filter(({ kind }) => kind === 'limit')
      const lines = enforcementText(limits, colorsFor(process.stdout))
      process.stdout.write([`${escaped(name)} [${key}]`, ...lines].map(line => `${line}\n`).join(''))
    }
    const asked = new Set(Object.keys(resources))
    const short = enforcement.some(({ name: field, status }) => asked.has(field) && status !== 'enforced')
    return short ? 2 : 0
  })
}
