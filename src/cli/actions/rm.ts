import { HoldfastError } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { withSupervisor } from '../with-supervisor.ts'

export type RmOptions = CommonOptions & { readonly force?: boolean }

export async function rm([word = '']: readonly string[], { stateDir, force }: RmOptions): Promise<number> {
  return await withSupervisor({ stateDir }, async supervisor => {
    const found = await findTask(supervisor, word).catch(error => {
      if (!force || error.code !== 'STATE_CORRUPT') throw error
      return null
    })
    if (found === null) {
      await supervisor.discard(word)
      process.stdout.write(`${word}\n`)
      return 0
    }
    const { key, name, task } = found
    if (task.state !== 'exited' && !force) {
      throw new HoldfastError('INVALID_STATE', `task ${name} (${key}) is ${task.state}`, {
        hint: `\`holdfast stop ${key}\` ends it first; \`holdfast rm --force ${key}\` kills and removes it.`,
      })
    }
    await task.destroy()
    process.stdout.write(`${key}\n`)
    return 0
  })
}
