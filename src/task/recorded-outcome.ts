import { type ExitRecord, type Outcome, outcomeOf } from '../../machines/index.ts'
import { errnoName } from '../errno-name.ts'

/** How a task has ended, by its exit record. */
export function recordedOutcome(record: ExitRecord): Outcome {
  return outcomeOf(record, errnoName)
}
