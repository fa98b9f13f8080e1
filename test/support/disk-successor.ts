import type { Executor } from '../../src/index.ts'
import { startFixture } from './fixture.ts'
import type { Workbench } from './workbench.ts'

/**
 * The tasks that a supervisor finds after another, which has started one with `diskBytes` (and destroyed it
 * when it had ended), was killed at that point.
 */
export async function foundAfter(
  { stateDir, supervisor }: Workbench,
  point: string,
  diskBytes: number,
  then: readonly 'destroy'[] = [],
): Promise<Executor[]> {
  await startFixture('disk.ts', {
    stateDir,
    arguments: [`${diskBytes}`, 'exit 3', ...then],
    env: { HOLDFAST_FAULT: point },
  })
  await supervisor.openAll()
  return [...supervisor.tasks.values()]
}
