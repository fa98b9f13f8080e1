import { setTimeout as sleep } from 'node:timers/promises'
import { inspector } from '../../inspector/index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { namingFlags } from '../flags/naming.ts'
import { json } from '../output/escape.ts'
import { parsePort } from '../parse/number.ts'
import { withSupervisor } from '../with-supervisor.ts'

export type InspectOptions = CommonOptions & {
  readonly port: string
  readonly host: string
  readonly showArguments?: boolean
}

/** How often it is looked for tasks that other processes have started or removed. */
const pollMs = 1000

export async function inspect(
  _operands: readonly string[],
  { stateDir, port, host, showArguments = false, json: asJson }: InspectOptions,
): Promise<number> {
  const metricsToken = process.env.HOLDFAST_METRICS_TOKEN
  return await withSupervisor({ stateDir }, async supervisor => {
    await supervisor.openAll()
    const options = { port: parsePort('--port', port), host, showArguments }
    const page = await namingFlags(() =>
      inspector({ supervisor, ...options, ...(metricsToken && { metricsToken }) }),
    )
    const over = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => over.abort())
    const metrics = `${new URL(page.url).origin}/metrics`
    if (asJson) process.stdout.write(`${json({ url: page.url, metrics, metricsToken: page.metricsToken })}\n`)
    else
      process.stdout.write(
        `${page.url}\n\nWhoever has this address can stop tasks. Metrics: ${metrics}, bearer token ${
          metricsToken ? 'from HOLDFAST_METRICS_TOKEN' : page.metricsToken
        }.\nCtrl-C ends the page, not the tasks.\n`,
      )
    try {
      while (!over.signal.aborted) {
        await sleep(pollMs, undefined, { signal: over.signal }).catch(() => {})
        if (!over.signal.aborted) await supervisor.openAll()
      }
    } finally {
      await page.close()
    }
    return 0
  })
}
