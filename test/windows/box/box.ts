// The programs of the contract's tasks where there are none of a Unix: `node box.mjs seq 1 10`, as busybox is
// called.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Shell } from './shell.ts'
import { standard } from './streams.ts'
import { Stop } from './tools.ts'

const [, box = '', name = '', ...args] = process.argv
leaveTrace()
process.exit(run())

/** For who asks later what of a task still lives (test/support/foreign-programs.ts). */
function leaveTrace(): void {
  const [, key] = /[\\/]allocs[\\/](\w+)[\\/]/.exec(process.env.HOLDFAST_ALLOC_DIR ?? '') ?? []
  if (key !== undefined) writeFileSync(join(dirname(box), 'pids', `${key}-${process.pid}`), '')
}

function run(): number {
  try {
    if (name !== 'sh') return new Shell([]).tool(name, args, standard)
    const [, script = '', , ...rest] = args
    return new Shell(rest).run(script, standard)
  } catch (error) {
    if (error instanceof Stop) return error.code
    throw error
  }
}
