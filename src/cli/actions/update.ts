import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { escaped, json } from '../output/escape.ts'
import { enforcementText } from '../output/result-block.ts'
import { colorsFor } from '../output/terminal.ts'
import { namingFlags } from '../flags/naming.ts'
import { askedFor } from '../flags/options.ts'
import { UsageError } from '../usage-error.ts'
import { withSupervisor } from '../with-supervisor.ts'

export async function update([word = '']: readonly string[], options: CommonOptions): Promise<number> {
  const { resources } = askedFor(options)
  if (Object.keys(resources).length === 0)
    throw new UsageError('no limit is given', { hint: 'For instance: holdfast update TASK --memory 512M' })
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
