import { execLimitRows } from '../exec-rows.ts'
import { readInForce, recordedInForce } from '../in-force/in-force.ts'
import { killProcessTree } from '../kill-tree.ts'
import { withOutputRow } from '../output-limit.ts'
import type { Platform } from '../port.ts'
import { refuseIfStrict } from '../rows.ts'
import { planBasic } from './plan.ts'
import { basicLimitRows } from './rows.ts'
import { probeTree } from './sample.ts'

const killLimitMs = 10_000

/** Runs anywhere, limits and isolates nothing, and says so. */
export function basicPlatform(): Platform {
  return {
    name: 'basic',
    plan: (request, dir, scope = null) => planBasic(request, dir, { scope }),
    update: async ({ strict, inside, command }, _start, asked) => {
      const rows = inside ? execLimitRows(asked, { rlimits: false }) : basicLimitRows(asked)
      return refuseIfStrict(withOutputRow(rows, command), strict)
    },
    inForce: task => readInForce(task, { cgroups: [], host: { v1: new Map(), v2: null } }),
    probe: probeTree,
    recorded: recordedInForce,
    killTree: (start, options) => killProcessTree(start, { limitMs: killLimitMs, ...options }),
    release: async () => {},
  }
}
