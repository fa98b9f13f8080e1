import type { Pressure, Usage } from '../../api.ts'
import { CgroupFile } from './cgroup-file.ts'
import { fieldOf, scaled, sumAfter } from './usage-text.ts'

/** What a cgroup of version 2 says of a task. */
export class V2Usage {
  readonly files: readonly CgroupFile[]
  readonly #controllers: CgroupFile
  readonly #cpu: CgroupFile
  readonly #memory: CgroupFile
  readonly #memoryPeak: CgroupFile
  readonly #memoryLimit: CgroupFile
  readonly #pids: CgroupFile
  readonly #io: CgroupFile
  readonly #pressures: readonly [cpu: CgroupFile, memory: CgroupFile, io: CgroupFile]
  #enabled: string | null = null

  constructor(dir: string) {
    const file = (name: string): CgroupFile => new CgroupFile(`${dir}/${name}`)
    this.#controllers = file('cgroup.controllers')
    this.#cpu = file('cpu.stat')
    this.#memory = file('memory.current')
    this.#memoryPeak = file('memory.peak')
    this.#memoryLimit = file('memory.max')
    this.#pids = file('pids.current')
    this.#io = file('io.stat')
    this.#pressures = [file('cpu.pressure'), file('memory.pressure'), file('io.pressure')]
    this.files = [
      ...[this.#controllers, this.#cpu, this.#memory, this.#memoryPeak, this.#memoryLimit, this.#pids],
      ...[this.#io, ...this.#pressures],
    ]
  }

  read(): Omit<Usage, 'at'> {
    if (this.#controllers.kept) this.#followControllers()
    const cpu = this.#cpu.text()
    const io = this.#io.text()
    return {
      cpuMs: scaled(fieldOf(cpu, 'usage_usec'), 1e-3),
      cpuPercent: null,
      memoryBytes: this.#memory.number(),
      memoryPeakBytes: this.#memoryPeak.number(),
      memoryLimitBytes: this.#memoryLimit.number(),
      pids: this.#pids.number(),
      // `8:0 rbytes=4096 wbytes=0 ...` per device.
      ioReadBytes: sumAfter(io, ' rbytes='),
      ioWriteBytes: sumAfter(io, ' wbytes='),
      throttledMs: scaled(fieldOf(cpu, 'throttled_usec'), 1e-3),
      pressure: this.#pressure(),
    }
  }

  /**
   * The files of a controller that is switched on for a running task (for a limit that update() brings) are
   * there from then on; those of one that is switched off are gone, also for who comes back to it. A cgroup
   * that is gone says nothing, and nothing is looked for in its place.
   */
  #followControllers(): void {
    const enabled = this.#controllers.text()
    if (enabled !== null && enabled !== this.#enabled) for (const file of this.files) file.retry()
    this.#enabled = enabled
  }

  /** Only with CONFIG_PSI. */
  #pressure(): Usage['pressure'] {
    const [cpu, memory, io] = this.#pressures
    const found = {
      cpu: pressureOf(cpu.text()),
      memory: pressureOf(memory.text()),
      io: pressureOf(io.text()),
    }
    return found.cpu || found.memory || found.io ? found : null
  }
}

/**
 * `some avg10=0.12 avg60=0.05 avg300=0.01 total=12345`, then the same for `full`. Times are in microseconds.
 */
function pressureOf(text: string | null): Pressure | null {
  if (text === null) return null
  const full = text.indexOf('full ')
  const [some, all] = full < 0 ? [text, null] : [text.slice(0, full), text.slice(full)]
  return {
    somePercent: sumAfter(some, ' avg10='),
    fullPercent: sumAfter(all, ' avg10='),
    someMs: scaled(sumAfter(some, ' total='), 1e-3),
    fullMs: scaled(sumAfter(all, ' total='), 1e-3),
  }
}
