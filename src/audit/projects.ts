import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { nativeProgram } from '../spawn/native-program.ts'
import { freeProject, projectsLeft } from '../spawn/project.ts'
import type { AuditContext, Found } from './found.ts'

/**
 * Projects of this file system that tasks have been (`diskBytes`), whose files are gone and whose limits are
 * not. Of whichever state directory: one that is in the making has files first.
 */
export async function leftoverProjects({ state }: AuditContext): Promise<Found[]> {
  const native = nativeProgram()
  const directory = join(state.path, 'allocs')
  if ('unavailable' in native || !existsSync(directory)) return []
  const { path: program } = native
  return (await projectsLeft(program, directory)).map(number => ({
    kind: 'project',
    path: directory,
    why: `project ${number} of its file system has a limit and no files`,
    remove: async () => {
      const refusal = await freeProject(program, number, directory)
      if (refusal !== null) throw new Error(`${refusal.step}: ${refusal.errno}`)
    },
  }))
}
