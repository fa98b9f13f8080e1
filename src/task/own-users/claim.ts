import { finite, flag, integer, listOf, object, text, type ValueOf } from '../../../machines/shape.ts'

/** A directory or file that is not the task's alone, and the device that it was on. */
const placeShape = object({ path: text, device: finite })

const claimShape = object({
  /** The task, and whose it is: while it is recorded there, the number is its. */
  stateDir: text,
  key: text,
  /** The device of the state directory: where another is in its place, nobody knows what is recorded. */
  device: finite,
  /** Who starts the task: while he lives, its record may still be to come, unless it `isRemoved`. */
  by: object({ pid: integer(1), startTime: integer(0) }),
  bootId: text,
  isRemoved: flag,
  /** Where files of the number can be left that do not go with the task. */
  places: listOf(placeShape),
  /** Something of it can be left in the kernel until the host boots anew. */
  lingers: flag,
})

export type Place = ValueOf<typeof placeShape>

/** Who has a number, and what of him has to be gone before another gets it. */
export type Claim = ValueOf<typeof claimShape>

/** `unreadable`: nobody knows whose it is. */
export function parseClaim(written: string): Claim | 'unreadable' {
  try {
    const value: unknown = JSON.parse(written)
    return claimShape.fault(value) === null ? claimShape.known(value) : 'unreadable'
  } catch {
    return 'unreadable'
  }
}
