import { HoldfastError } from '../../errors.ts'

type PassedFlags = Readonly<Record<string, unknown>>

/** Flags that cannot go together: the two, why, what to do instead, and the flag with which they can. */
const contradictions: readonly (readonly [string, string, string, string?, string?])[] = [
  ['rm', 'detach', 'nobody stays to remove the task', 'Remove it with `holdfast rm TASK` when it has ended.'],
  [
    'result',
    'detach',
    'nobody stays for the result',
    '`holdfast wait --json TASK` prints it when it has ended.',
  ],
  ['json', 'tty', 'the task has the terminal', '--result FILE has the document.', 'detach'],
  ['allow', 'network', 'what is allowed is all of its network'],
  ['allow', 'basic', 'the Basic executor isolates nothing'],
  ['untrusted', 'basic', 'the Basic executor isolates nothing'],
]

/** Throws INVALID_ARGUMENT. */
export function refuseContradictions(passed: PassedFlags): void {
  for (const [one, other, reason, hint, unless = ''] of contradictions)
    if (passed[one] !== undefined && passed[other] !== undefined && passed[unless] === undefined)
      throw new HoldfastError('INVALID_ARGUMENT', `--${one} cannot go with --${other}: ${reason}`, { hint })
}
