import assert from 'node:assert/strict'
import type { Message } from '../../../src/nomad/wire/codec.ts'
import { AgentLogs } from './agent-logs.ts'
import type { DriverBench } from './driver-bench.ts'

/** Of the jobs below: four files, where the node keeps two, and 6 MB fill six. */
export const block = { MaxFiles: 4, MaxFileSizeMB: 1, Disabled: false }
export const byBlock = [2, 3, 4, 5]
export const byNode = [4, 5]

/** Tasks of a driver that writes their logs and may ask an agent for the job's `logs` block. */
export class LogsBlock {
  readonly events: Message[] = []
  readonly #bench: DriverBench

  constructor(bench: DriverBench) {
    this.#bench = bench
  }

  listen(): void {
    const { client } = this.#bench.host
    client.stream('TaskEvents').on('data', event => this.events.push(event as Message))
  }

  /** With a timeout that is none, unless `agent` has one: whoever answers is heard on any machine. */
  async configure(agent: object | null): Promise<void> {
    const patient = agent === null ? null : { timeout: 60, ...agent }
    await this.#bench.configure({
      collect_logs: true,
      log_max_files: 2,
      log_max_file_size: 1,
      agent: patient,
    })
  }

  /** Has a task write 6 MB; the numbers of the files that are left. */
  async kept(logs: object = {}, more: object = {}): Promise<number[]> {
    const args = ['-c', 'head -c 6000000 /dev/zero']
    const task = this.#bench.allocation.task({ command: '/bin/sh', args, logs }, more)
    await this.#bench.start(task)
    const { result } = await this.#bench.driver('WaitTask', { task_id: task.id })
    assert.deepEqual(result, { exit_code: 0, signal: 0, oom_killed: false })
    return new AgentLogs(this.#bench.allocation.dir, 't', 'stdout').indexes()
  }

  /** The plugin option of the only event. Null: there was none. */
  get told(): string | null {
    const [event, ...more] = this.events.filter(({ annotations }) => 'option' in (annotations as object))
    assert.deepEqual(more, [])
    if (event === undefined) return null
    const option = String((event.annotations as Message)['option'])
    const message = String(event.message)
    assert.ok(message.startsWith(`plugin config.${option}: `), message)
    assert.match(message, /; of each log 2 files of 1 MiB are kept$/)
    return option
  }
}
