import { constants } from 'node:os'

/*
 * Signals by name and number, for the library and its clients. Node's table has no real-time signals: they
 * are written as kill(1) writes them, from the first (`SIGRTMIN`, `SIGRTMIN+3`) or from the last
 * (`SIGRTMAX-1`). The C library keeps the kernel's first two for itself, so that SIGRTMIN is 34 in glibc and
 * musl (35 in musl for threads' sake is its own matter: numbers are what counts), and SIGRTMAX 64.
 */

const firstRealTime = 34
const lastRealTime = 64
const hasRealTime = process.platform === 'linux'

const names = new Map<number, NodeJS.Signals>()
for (const [name, number] of Object.entries(constants.signals))
  // Aliases (SIGIOT, SIGPOLL, SIGUNUSED) come after the name by which a signal is known.
  if (!names.has(number)) names.set(number, name as NodeJS.Signals)

/** A signal's number here; null for a name that this system does not have. */
export function numberOfSignal(name: string): number | null {
  if (Object.hasOwn(constants.signals, name)) return constants.signals[name as NodeJS.Signals]
  const [, end, sign, distance = '0'] = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name) ?? []
  if (end === undefined || !hasRealTime || (end === 'MIN' ? sign === '-' : sign === '+')) return null
  const number = end === 'MIN' ? firstRealTime + Number(distance) : lastRealTime - Number(distance)
  return number >= firstRealTime && number <= lastRealTime ? number : null
}

/** A signal's name: real-time ones read `SIGRTMIN+n`. */
export function nameOfSignal(number: number): NodeJS.Signals {
  return names.get(number) ?? (`SIGRTMIN+${number - firstRealTime}` as NodeJS.Signals)
}

/** A signal as people write it: `TERM`, `SIGTERM`, `term`, `15`, `RTMIN+3`, `37`. Null for what is none. */
export function readSignal(text: string): NodeJS.Signals | null {
  const word = text.trim().toUpperCase()
  if (/^[1-9]\d?$/.test(word)) {
    const number = Number(word)
    return names.has(number) || (hasRealTime && number >= firstRealTime && number <= lastRealTime)
      ? nameOfSignal(number)
      : null
  }
  const name = (word.startsWith('SIG') ? word : `SIG${word}`) as NodeJS.Signals
  const number = numberOfSignal(name)
  if (number === null) return null
  return Object.hasOwn(constants.signals, name) ? name : nameOfSignal(number)
}
