import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { taskSpec } from '../config/task-config.ts'
import { execStreaming } from '../exec/exec-streaming.ts'
import { exec } from '../exec/exec-task.ts'
import type { PluginState } from '../plugin-state.ts'
import { parseSignal } from '../tasks/signals.ts'
import { startError } from '../wire/errors.ts'
import { streamBoth, streamOut, unary } from '../wire/handlers.ts'
import type { ByTask } from '../wire/task-messages.ts'
import { capabilities } from './capabilities.ts'
import { destroy } from './destroy-task.ts'
import { fingerprints } from './fingerprint.ts'
import { inspect } from './inspect-task.ts'
import { recover } from './recover-task.ts'
import { start } from './start-task.ts'
import { stop } from './stop-task.ts'
import { taskStats } from './task-stats.ts'
import { wait } from './wait-task.ts'

type Call<Request> = (state: PluginState, request: Request) => Promise<object>

/** Nomad's driver protocol, call by call. */
export function driver(state: PluginState): UntypedServiceImplementation {
  const answered = <Request>(call: Call<Request>) => unary((request: Request) => call(state, request))
  return {
    Init: unary(() => ({})),
    Shutdown: unary(() => ({})),
    TaskConfigSchema: unary(() => ({ spec: taskSpec })),
    Capabilities: unary(() => ({ capabilities: capabilities(offered(state)) })),
    Fingerprint: fingerprints(state),
    StartTask: unary(request => start(state, request as Parameters<typeof start>[1]), startError),
    RecoverTask: answered(recover),
    WaitTask: answered(wait),
    StopTask: answered(stop),
    DestroyTask: answered(destroy),
    InspectTask: answered(inspect),
    TaskStats: taskStats(state),
    TaskEvents: streamOut((_request, out) => {
      const events = state.events.events$.subscribe(event => out.send(event))
      return () => events.unsubscribe()
    }),
    SignalTask: answered(signal),
    ExecTask: answered(exec),
    ExecTaskStreaming: streamBoth((call, gone) => execStreaming(state, call, gone)),
    CreateNetwork: unary(() => refuseNetwork()),
    DestroyNetwork: unary(() => refuseNetwork()),
  }
}

function offered({ ownRoot, config }: PluginState) {
  const { collect_logs: collectsLogs, dynamic_workload_users: dynamicUsers } = config
  return { ownRoot, collectsLogs, dynamicUsers }
}

async function signal(
  { table }: PluginState,
  { task_id, signal: name }: ByTask & { signal: string },
): Promise<object> {
  const { executor } = await table.get(task_id)
  await executor.signal(parseSignal(name))
  return {}
}

function refuseNetwork(): never {
  throw new Error('this driver makes no networks: the client does, and tasks join them')
}
