import type { CommonOptions } from '../commands/subcommand.ts'
import { exitCodeOf } from '../exit-code.ts'
import { findTask } from '../find-task.ts'
import { errorText } from '../output/error-report.ts'
import { json } from '../output/escape.ts'
import { resultDocument } from '../output/result-document.ts'
import { withSupervisor } from '../with-supervisor.ts'

export async function wait(
  [word = '']: readonly string[],
  { stateDir, json: asJson }: CommonOptions,
): Promise<number> {
  return await withSupervisor({ stateDir }, async supervisor => {
    const { key, name, task } = await findTask(supervisor, word)
    const result = await task.wait()
    if (asJson)
      process.stdout.write(
        `${json(resultDocument({ key, name, id: task.id() }, result, task.enforcement))}\n`,
      )
    else if (result.error !== null) process.stderr.write(errorText(result.error))
    return exitCodeOf(result)
  })
}
