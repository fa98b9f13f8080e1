import { errnoOf } from '../alloc/failure.ts'
import { whyHeld } from '../task/own-users/evidence.ts'
import { Registry } from '../task/own-users/registry.ts'
import { each, type Found, type AuditContext } from './found.ts'

/** Users that tasks of this state directory had to themselves, and nothing of whom is left. */
export function leftoverUsers({ state, registry: path }: AuditContext): Promise<Found[]> {
  const registry = new Registry(path)
  return each(numbersIn(registry), number => {
    const { generation, claim } = registry.read(number)
    if (claim === null || claim === 'unreadable' || claim.stateDir !== state.path) return []
    if (whyHeld(number, claim) !== null) return []
    return [
      {
        kind: 'user',
        path: `${path}/${number}`,
        why: `nothing is left of task ${claim.key}, whose user ${number} was`,
        // False: somebody has been given it meanwhile.
        remove: () => void registry.replace(number, generation, null),
      },
    ]
  })
}

/** Root alone gives them out, and may keep others from looking: of those nobody has one. */
function numbersIn(registry: Registry): readonly number[] {
  try {
    return registry.numbers()
  } catch (error) {
    if (errnoOf(error) === 'EACCES' && process.geteuid?.() !== 0) return []
    throw error
  }
}
