import type { Flag } from './flag.ts'
import { isolationFlags } from './rows/isolation.ts'
import { limitFlags } from './rows/limits.ts'
import { outputFlags } from './rows/output.ts'
import { taskFlags } from './rows/task.ts'

/**
 * The flags of `run`, `exec` and `update`, a row each, in the order and under the headings of their help.
 * They are read in this order, too: a row sees what earlier ones have set.
 */
export const flagTable: readonly { readonly heading: string; readonly flags: readonly Flag[] }[] = [
  { heading: 'The task:', flags: taskFlags },
  { heading: 'Limits:', flags: limitFlags },
  { heading: 'Isolation:', flags: isolationFlags },
  { heading: 'Output:', flags: outputFlags },
]
