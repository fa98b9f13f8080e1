import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, closeSync, constants, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { encode } from '@msgpack/msgpack'

/** An allocation's directories and log FIFOs, laid out as Nomad's client does before it asks for a start. */
export class Allocation {
  readonly id = randomUUID()
  readonly dir: string
  readonly #readers = new Map<string, number>()

  /** `collects`: the client has started a collector, and made its FIFOs. */
  constructor(root: string, collects = true) {
    this.dir = join(root, this.id)
    for (const part of [
      'alloc/logs',
      'alloc/tmp',
      'alloc/data',
      't/local',
      't/secrets',
      't/tmp',
      't/private',
    ]) {
      mkdirSync(join(this.dir, part), { recursive: true })
      chmodSync(join(this.dir, part), 0o777)
    }
    for (const stream of collects ? ['stdout', 'stderr'] : []) {
      const fifo = this.fifo(stream)
      execFileSync('mkfifo', ['-m', '600', fifo])
      // As its log collector does: there from before the task, until after it.
      this.#readers.set(stream, openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK))
    }
  }

  fifo(stream: string): string {
    return join(this.dir, `alloc/logs/.t.${stream}.fifo`)
  }

  /** What has come through a log FIFO since the last look. */
  logged(stream: 'stdout' | 'stderr' = 'stdout'): string {
    const fd = this.#readers.get(stream) ?? -1
    const bytes = Buffer.alloc(65_536)
    let text = ''
    for (;;) {
      try {
        const count = readSync(fd, bytes)
        if (count === 0) return text
        text += bytes.toString('utf8', 0, count)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return text
        throw error
      }
    }
  }

  /** A TaskConfig. `more` replaces its fields. */
  task(config: object, more: object = {}): Readonly<Record<string, unknown>> & { readonly id: string } {
    const chance = Math.random().toString(16).slice(2, 10)
    return {
      id: `${this.id}/t/${chance}`,
      name: 't',
      alloc_id: this.id,
      alloc_dir: this.dir,
      msgpack_driver_config: Buffer.from(encode(config)),
      env: { NOMAD_SECRETS_DIR: '/secrets', GREETING: 'hello' },
      stdout_path: this.fifo('stdout'),
      stderr_path: this.fifo('stderr'),
      resources: {
        allocated_resources: { cpu: { cpu_shares: 100 }, memory: { memory_mb: 64, memory_max_mb: 0 } },
        linux_resources: { cpu_shares: 100, memory_limit_bytes: 64 * 1024 * 1024, PercentTicks: 0.1 },
      },
      ...more,
    }
  }

  shell(script: string, more: object = {}) {
    return this.task({ command: '/bin/sh', args: ['-c', script] }, more)
  }

  close(): void {
    for (const fd of this.#readers.values()) closeSync(fd)
  }
}
