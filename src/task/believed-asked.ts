import { askedOfKernel, type AskedOfKernel } from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'

/** Throws STATE_CORRUPT. */
export function believedAsked(asked: AskedOfKernel | null, dir: string): AskedOfKernel | null {
  const fault = asked === null ? null : askedOfKernel.fault(asked)
  if (fault === null) return asked
  throw new HoldfastError('STATE_CORRUPT', `${dir}/task.json cannot be used: spec.asked.${fault}`, {
    path: dir,
  })
}
