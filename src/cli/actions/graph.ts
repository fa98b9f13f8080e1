import { type GraphFormat, taskGraph } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'

export async function graph(
  _operands: readonly string[],
  { format }: CommonOptions & { readonly format: GraphFormat },
): Promise<number> {
  process.stdout.write(await taskGraph(format))
  return 0
}
