import { escaped } from './escape.ts'
import type { ScreenSize } from './live-screen.ts'
import { sparkline } from './sparkline.ts'
import type { Colors } from './terminal.ts'
import { bytesText, timeText } from './units.ts'
import type { TaskUsage } from './usage-table.ts'
import { fitted, padded } from './width.ts'

const orders: Readonly<
  Record<string, { readonly title: string; readonly value: (usage: TaskUsage) => number }>
> = {
  c: { title: 'CPU', value: usage => usage.cpuPercent ?? -1 },
  m: { title: 'memory', value: usage => usage.memoryBytes ?? -1 },
  p: { title: 'processes', value: usage => usage.pids ?? -1 },
  n: { title: 'name', value: () => 0 },
}
const remembered = 16
/** Between two samples; so many missing ones are drawn through. */
const intervalMs = 1000
const tolerated = 2
/**
 * Per cent at which a bar is full, for a task that has never used more: that one is awake now and then is to
 * be seen.
 */
const smallest = 10
const keysText = 'c cpu  m memory  p processes  n name  ↑ ↓ PgUp PgDn Home End move  q quit'
const head = `${'KEY'.padEnd(14)}  ${'NAME'.padEnd(20)}  ${'%CPU'.padStart(6)}  ${'CPU'.padEnd(remembered)}  ${'TIME'.padStart(8)}  ${'MEMORY'.padStart(10)}  ${'LIMIT'.padStart(10)}  ${'PIDS'.padStart(5)}`

/**
 * What `top` shows: the present samples in the order asked for, each with its recent past. No task is drawn
 * that does not fit.
 */
export class TopTable {
  readonly #colors: Colors
  readonly #past = new Map<string, (number | null)[]>()
  #samples: readonly TaskUsage[] = []
  #at: number | null = null
  #order = 'c'
  #from = 0
  #page = 1

  constructor(colors: Colors) {
    this.#colors = colors
  }

  add(samples: readonly TaskUsage[], at = performance.now()): void {
    this.#samples = samples
    const missed = Math.min(remembered, Math.floor((at - (this.#at ?? at)) / intervalMs) - 1)
    this.#at = at
    // A host that slept, or was too busy: the bars are a time line, and nothing was measured in between.
    const gap = missed > tolerated ? Array<null>(missed).fill(null) : []
    const present = new Set(samples.map(({ task }) => task.key))
    for (const key of this.#past.keys()) if (!present.has(key)) this.#past.delete(key)
    for (const { task, cpuPercent } of samples) {
      const past = this.#past.get(task.key) ?? []
      this.#past.set(task.key, [...past, ...gap, cpuPercent].slice(-remembered))
    }
  }

  /** Whether the key means something here. */
  press(key: string): boolean {
    const move = this.#moves()[key]
    if (move !== undefined) this.#from += move
    else if (key in orders) [this.#order, this.#from] = [key, 0]
    else return false
    return true
  }

  #moves(): Readonly<Record<string, number>> {
    const [first, last] = [-this.#samples.length, this.#samples.length]
    return {
      '\x1b[A': -1,
      '\x1b[B': 1,
      '\x1bOA': -1,
      '\x1bOB': 1,
      '\x1b[5~': -this.#page,
      '\x1b[6~': this.#page,
      '\x1b[H': first,
      '\x1b[1~': first,
      '\x1bOH': first,
      '\x1b[F': last,
      '\x1b[4~': last,
      '\x1bOF': last,
    }
  }

  lines({ columns, rows }: ScreenSize): string[] {
    const { title } = orders[this.#order] as { title: string }
    this.#page = Math.max(1, rows - 3)
    this.#from = Math.max(0, Math.min(this.#from, this.#samples.length - this.#page))
    const shown = this.#sorted().slice(this.#from, this.#from + this.#page)
    const last = this.#from + shown.length
    const count =
      this.#samples.length === 0
        ? 'no task is running'
        : `${this.#from + 1}-${last} of ${this.#samples.length} tasks, by ${title}`
    return [
      this.#colors.bold(`holdfast top: ${count}`.slice(0, columns)),
      this.#colors.bold(head.slice(0, columns)),
      ...shown.map(usage => fitted(this.#row(usage), columns, '')),
      ...Array.from({ length: this.#page - shown.length }, () => ''),
      this.#colors.dim(keysText.slice(0, columns)),
    ]
  }

  #sorted(): TaskUsage[] {
    const { value } = orders[this.#order] as { value: (usage: TaskUsage) => number }
    return [...this.#samples].sort(
      (a, b) =>
        value(b) - value(a) || a.task.name.localeCompare(b.task.name) || (a.task.key < b.task.key ? -1 : 1),
    )
  }

  #row({ task, cpuPercent, cpuMs, memoryBytes, memoryLimitBytes, pids }: TaskUsage): string {
    const percent = cpuPercent === null ? '-' : cpuPercent.toFixed(1)
    return [
      task.key.padEnd(14),
      padded(fitted(escaped(task.name), 20), 20),
      percent.padStart(6),
      sparkline(this.#past.get(task.key) ?? [], smallest).padStart(remembered),
      timeText(cpuMs).padStart(8),
      bytesText(memoryBytes).padStart(10),
      bytesText(memoryLimitBytes).padStart(10),
      (pids === null ? '-' : String(pids)).padStart(5),
    ].join('  ')
  }
}
