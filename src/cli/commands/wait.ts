import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { WaitResult } from '../../index.ts'
import { exitCodeOf } from '../exit-code.ts'
import { endingText } from '../output/ending.ts'
import { errorText } from '../output/error-report.ts'
import { escaped } from '../output/escape.ts'
import { printJson } from '../output/printing.ts'
import { resultDocument } from '../output/result-document.ts'
import { parseDuration } from '../parse/duration.ts'
import { withTask } from '../with-supervisor.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function waitCommand(): Command {
  const command = subcommand('wait', 'task')
    .summary('wait for a task and exit as it does')
    .description('Waits until a task has ended, and exits as it did. Returns at once for a task that has.')
    .argument('<TASK>')
    .option('--timeout <TIME>', 'wait so long at most; the task goes on')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, wait)
}

const more = `
Examples:
  key=$(holdfast run --detach -- sleep 10); holdfast wait $key
  holdfast wait --json web | jq .cause
  holdfast wait --timeout 5s web || test $? != 124 || echo it still runs

Exit codes: the task's own; 128+n if signal n ended it; 124 if its time was up, or if --timeout has passed
(--json tells the two apart: cause, timedOut); 126 or 127 if its program could not be executed or found; 125 if
holdfast failed, or if it is not known how the task ended.`

type WaitOptions = CommonOptions & { readonly timeout?: string }

async function wait({ stateDir, json: asJson, timeout }: WaitOptions, word?: string): Promise<number> {
  const timeoutMs = timeout === undefined ? null : parseDuration('--timeout', timeout)
  return await withTask({ stateDir }, word, async ({ key, name, task }) => {
    const result = await within(timeoutMs, task.wait())
    if (result === null) {
      if (asJson) printJson({ task: { key, name }, id: task.id(), state: task.state, timedOut: true })
      else process.stderr.write(`holdfast: ${escaped(name)} [${key}] has not ended after ${timeout}\n`)
      return 124
    }
    if (asJson) printJson(resultDocument({ key, name, id: task.id() }, result, task.enforcement))
    else if (result.error !== null) process.stderr.write(errorText(result.error))
    // 137 says SIGKILL, and not whose.
    else if (result.cause === 'oom')
      process.stderr.write(`holdfast: ${escaped(name)} ${endingText(result)} [${key}]\n`)
    return exitCodeOf(result)
  })
}

/** The longest that a timer of Node's takes. */
const maxTimerMs = 2_147_483_647

/** Null when it took longer. */
async function within(timeoutMs: number | null, end: Promise<WaitResult>): Promise<WaitResult | null> {
  if (timeoutMs === null) return await end
  const over = new AbortController()
  const outOfTime = async (): Promise<null> => {
    let left = timeoutMs
    do {
      await sleep(Math.min(left, maxTimerMs), undefined, { signal: over.signal })
      left -= maxTimerMs
    } while (left > 0)
    return null
  }
  return await Promise.race([end, outOfTime()]).finally(() => over.abort())
}
