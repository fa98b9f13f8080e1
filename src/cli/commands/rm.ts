import type { Command } from 'commander'
import { HoldfastError } from '../../errors.ts'
import { chooseTask, type FoundTask } from '../find-task.ts'
import { reportError } from '../output/error-report.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { carriedOutBy, subcommand, type CommonOptions } from './subcommand.ts'

export function rmCommand(): Command {
  const command = subcommand('rm')
    .summary('remove the records of ended tasks')
    .description('Removes the records, logs and directories of tasks that have ended.')
    .argument('[TASK...]')
    .option('-f, --force', 'kill those that run first')
    .option('--ended', 'all that have ended')
    .addHelpText('after', more)
  return carriedOutBy(command, rm)
}

const more = `
Each TASK is tried, whatever becomes of the others. Prints the keys of what it has removed.

Examples:
  holdfast rm web
  holdfast rm --force web worker-1 worker-2
  holdfast rm --ended

Exit codes: 0; 1 if one of them runs, or could not be removed.`

type RmOptions = CommonOptions & { readonly force?: boolean; readonly ended?: boolean }

async function rm(
  { stateDir, force = false, ended = false }: RmOptions,
  ...words: readonly string[]
): Promise<number> {
  refuseUnclear(words, ended)
  return await withSupervisor({ stateDir }, async supervisor => {
    if (ended) {
      for (const key of await supervisor.prune()) process.stdout.write(`${key}\n`)
      return 0
    }
    const { quarantined } = await supervisor.openAll()
    let exitCode = 0
    const attempt = async (work: () => Promise<void>): Promise<void> => {
      await work().catch((error: unknown) => {
        reportError(error, { json: false })
        exitCode = 1
      })
    }
    // All words are read before anything is removed: what is gone could give a name another meaning.
    const chosen = new Map<string, FoundTask | null>()
    for (const word of words)
      await attempt(async () => {
        const unusable = force && quarantined.some(({ key }) => key === word)
        const found = unusable ? null : removable(chooseTask(supervisor, word, quarantined), force)
        chosen.set(found?.key ?? word, found)
      })
    for (const [key, found] of chosen)
      await attempt(async () => {
        await (found === null ? supervisor.discard(key) : found.task.destroy())
        process.stdout.write(`${key}\n`)
      })
    return exitCode
  })
}

function refuseUnclear(words: readonly string[], ended: boolean): void {
  if (ended ? words.length === 0 : words.length > 0) return
  throw new HoldfastError('INVALID_ARGUMENT', ended ? '--ended takes no TASK' : 'rm: which TASK?', {
    hint: '`holdfast rm TASK...` removes those, `holdfast rm --ended` all that have ended.',
  })
}

function removable(found: FoundTask, force: boolean): FoundTask {
  const { key, name, task } = found
  if (task.state === 'exited' || force) return found
  throw new HoldfastError('INVALID_STATE', `task ${name} (${key}) is ${task.state}`, {
    hint: `\`holdfast stop ${key}\` ends it first; \`holdfast rm --force ${key}\` kills and removes it.`,
  })
}
