import type { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import { namingFlags } from '../flags/naming.ts'
import { printJson } from '../output/printing.ts'
import { parsePort } from '../parse/number.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function inspectCommand(): Command {
  const command = subcommand('inspect')
    .summary('watch and stop tasks in a browser')
    .description(
      'Serves a web page on the loopback address that shows all tasks live, until it is interrupted. The tasks do not depend on it.',
    )
    .option('--port <PORT>', 'the port; 0 for a free one', '0')
    .option('--host <ADDRESS>', 'the loopback address', '127.0.0.1')
    .option('--show-arguments', 'show the arguments of programs, too; they may hold secrets')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, inspect)
}

const more = `
Examples:
  holdfast inspect
  holdfast inspect --port 7000

The address that is printed ends with a token: whoever has it can stop tasks. From another machine, come through a tunnel:
  ssh -L 7000:127.0.0.1:7000 HOST holdfast inspect --port 7000
Prometheus reads /metrics with a token of its own, the value of HOLDFAST_METRICS_TOKEN (16 characters or more) or a random one.

Exit codes: 0; 1 if the port is taken or the state directory could not be read.`

type InspectOptions = CommonOptions & {
  readonly port: string
  readonly host: string
  readonly showArguments?: boolean
}

/** How often it is looked for tasks that other processes have started or removed. */
const pollMs = 1000

async function inspect({
  stateDir,
  port,
  host,
  showArguments = false,
  json: asJson,
}: InspectOptions): Promise<number> {
  const { inspector } = await import('../../inspector/index.ts')
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
    if (asJson) printJson({ url: page.url, metrics, metricsToken: page.metricsToken })
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
