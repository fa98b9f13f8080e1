import { invalidArgument } from '../invalid-argument.ts'
import { isTaskName, takesTaskName } from '../command/task-name.ts'

/**
 * Throws INVALID_ARGUMENT unless `name` can be the name of a task, and so of its directory in an allocation.
 */
export function assertTaskName(name: unknown, field = 'task name'): asserts name is string {
  if (typeof name !== 'string' || !isTaskName(name)) throw invalidArgument(field, name, takesTaskName)
}
