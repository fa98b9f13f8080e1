import { realpathSync } from 'node:fs'
import { installPlugin, serveNomad } from '../../nomad/index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { fileRefused } from '../file-refused.ts'
import { whenOutputFails } from '../output/hang-up.ts'

type Options = CommonOptions & { readonly install?: string }

/** Resolves when the agent is served; the process lives until the agent ends it. */
export async function nomadDriver(_operands: readonly string[], { install }: Options): Promise<number> {
  if (install !== undefined) {
    process.stdout.write(`${installed(install)}\n`)
    return 0
  }
  // An agent that was killed leaves its plugins, and the next one finds them again.
  whenOutputFails(failure => {
    if (failure !== null) process.exit(125)
  })
  const refused = await serveNomad()
  if (refused === null) return 0
  process.stderr.write(`holdfast: ${refused}\n`)
  return 1
}

function installed(directory: string): string {
  const main = realpathSync(process.argv[1] ?? '')
  try {
    return installPlugin(directory, [process.execPath, ...process.execArgv, main])
  } catch (error) {
    throw fileRefused('--install', directory, 'written', error)
  }
}
