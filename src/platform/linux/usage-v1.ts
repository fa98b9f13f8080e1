import { readFileSync } from 'node:fs'
import type { Usage } from '../../api.ts'
import { CgroupFile } from './cgroup-file.ts'
import { directoriesIn } from './cgroup-parents.ts'
import { fieldOf, scaled, sumAfter } from './usage-text.ts'

/** Where a task's cgroup of each controller is; undefined for those it has not joined. */
export type V1Directories = {
  readonly cpu?: string | undefined
  readonly cpuacct?: string | undefined
  readonly memory?: string | undefined
  readonly pids?: string | undefined
  readonly blkio?: string | undefined
}

/** What cgroups of version 1 say of a task. */
export class V1Usage {
  /** All that it looks at and that may be kept open. */
  readonly files: readonly CgroupFile[]
  readonly #cpuTime: CgroupFile | null
  readonly #memory: CgroupFile | null
  readonly #memoryPeak: CgroupFile | null
  readonly #memoryLimit: CgroupFile | null
  readonly #pids: CgroupFile | null
  readonly #io: CgroupFile | null
  readonly #ioOwn: CgroupFile | null
  readonly #throttling: CgroupFile | null
  readonly #threads: string | undefined

  /** With `countThreads`, they are counted where the pids controller does not do so. */
  constructor({ cpu, cpuacct, memory, pids, blkio }: V1Directories, countThreads: boolean) {
    const files: CgroupFile[] = []
    const file = (dir: string | undefined, name: string): CgroupFile | null => {
      if (dir === undefined) return null
      const made = new CgroupFile(`${dir}/${name}`)
      files.push(made)
      return made
    }
    this.#cpuTime = file(cpuacct, 'cpuacct.usage')
    this.#memory = file(memory, 'memory.usage_in_bytes')
    this.#memoryPeak = file(memory, 'memory.max_usage_in_bytes')
    this.#memoryLimit = file(memory, 'memory.limit_in_bytes')
    this.#pids = file(pids, 'pids.current')
    this.#io = file(blkio, 'blkio.throttle.io_service_bytes_recursive')
    this.#ioOwn = file(blkio, 'blkio.throttle.io_service_bytes')
    this.#throttling = file(cpu, 'cpu.stat')
    // Any hierarchy lists the threads, which is what the pids controller counts.
    this.#threads = countThreads && pids === undefined ? (memory ?? cpuacct) : undefined
    this.files = files
  }

  read(): Omit<Usage, 'at'> {
    const cpuMs = scaled(this.#cpuTime?.number() ?? null, 1e-6)
    const memoryBytes = this.#memory?.number() ?? null
    const io = this.#io?.text() ?? this.#ioOwn?.text() ?? null
    return {
      cpuMs,
      cpuPercent: null,
      memoryBytes,
      memoryPeakBytes: this.#memoryPeak?.number() ?? null,
      memoryLimitBytes: limited(this.#memoryLimit?.number() ?? null),
      pids: this.#pids === null ? this.#countThreads(memoryBytes ?? cpuMs) : this.#pids.number(),
      // `8:0 Read 4096` per device and operation.
      ioReadBytes: sumAfter(io, ' Read '),
      ioWriteBytes: sumAfter(io, ' Write '),
      throttledMs: scaled(fieldOf(this.#throttling?.text() ?? null, 'throttled_time'), 1e-6),
      pressure: null,
    }
  }

  /**
   * `tasks` is opened anew each time: whoever keeps it open and asks more often than once a second gets the
   * same list for ever (pidlists in kernel/cgroup/cgroup-v1.c). Whether what has that path is still the
   * task's own cgroup, another file of it tells.
   */
  #countThreads(answer: number | null): number | null {
    if (this.#threads === undefined || answer === null) return null
    try {
      return threadsIn(this.#threads)
    } catch {
      return null
    }
  }
}

/** Of the exec sessions below it, too. */
function threadsIn(dir: string): number {
  const own = readFileSync(`${dir}/tasks`, 'latin1').split('\n').filter(Boolean).length
  return directoriesIn(dir).reduce((sum, name) => sum + threadsBelow(`${dir}/${name}`), own)
}

/** None in one that has gone meanwhile. */
function threadsBelow(dir: string): number {
  try {
    return threadsIn(dir)
  } catch {
    return 0
  }
}

/** "No limit" is the largest page-aligned number there is (PAGE_COUNTER_MAX). */
function limited(value: number | null): number | null {
  return value !== null && value < 2 ** 62 ? value : null
}
