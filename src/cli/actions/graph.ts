import { type GraphFormat, taskGraph } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { namingFlags } from '../flags/naming.ts'

export async function graph(
  _operands: readonly string[],
  { format }: CommonOptions & { readonly format: GraphFormat },
): Promise<number> {
  process.stdout.write(await namingFlags(() => taskGraph(format)))
  return 0
}
