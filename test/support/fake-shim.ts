import { closeSync, constants, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExitRecord, StartRecord } from '../../machines/index.ts'
import { makeFifos } from '../../src/spawn/fifos.ts'
import { currentBootId } from '../../src/spawn/process-table.ts'
import { plainExit } from './exit-record.ts'

/** Of no process that there is: whatever is sent to it reaches nobody. */
const nobody = { pid: 0x3fffff, startTime: 1 }

/** What a shim leaves in a task's directory, without one: FIFOs that this process holds, and records. */
export class FakeShim {
  readonly #dir: string
  #alive: number | null
  readonly #control: number

  /** The FIFOs are there and held, as by a shim that has just begun. */
  constructor(dir: string) {
    this.#dir = dir
    makeFifos(join(dir, 'alive'), join(dir, 'control'))
    this.#alive = openSync(join(dir, 'alive'), constants.O_RDWR | constants.O_NONBLOCK)
    this.#control = openSync(join(dir, 'control'), constants.O_RDWR | constants.O_NONBLOCK)
  }

  /** `named`: other processes than none, another boot. */
  started(startedAt = Date.now(), named: Partial<StartRecord> = {}): StartRecord {
    const record: StartRecord = {
      format: 'holdfast.start',
      version: 1,
      shim: nobody,
      task: nobody,
      init: null,
      bootId: currentBootId(),
      startedAt,
      cgroups: [],
      ...named,
    }
    writeFileSync(join(this.#dir, 'start.json'), JSON.stringify(record))
    return record
  }

  ended(how: Partial<ExitRecord> = {}): void {
    const record = { ...plainExit, ...how }
    writeFileSync(join(this.#dir, 'exit.json'), JSON.stringify(record))
  }

  /** What it has been told since it was last asked. */
  told(): string[] {
    const buffer = Buffer.alloc(4096)
    try {
      const text = buffer.toString('utf8', 0, readSync(this.#control, buffer))
      return text.split('\n').filter(line => line !== '')
    } catch {
      return []
    }
  }

  /** It is gone: nobody holds `alive` any more. */
  gone(): void {
    if (this.#alive === null) return
    closeSync(this.#alive)
    closeSync(this.#control)
    this.#alive = null
  }
}
