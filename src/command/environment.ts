/** The search path of a task whose environment names none: that of a login as root, whoever the task runs as. */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * A task's whole environment: the command's own, where its two directories are (as the task sees them), and a PATH if it has none.
 * Nothing of the supervisor's. The directories are facts, so they win over variables of the same name.
 */
export function taskEnvironment(
  env: Readonly<Record<string, string>>,
  { allocDir, taskDir }: { readonly allocDir: string; readonly taskDir: string },
): Record<string, string> {
  return {
    PATH: defaultPath,
    ...env,
    NOMAD_ALLOC_DIR: allocDir,
    NOMAD_TASK_DIR: taskDir,
    HOLDFAST_ALLOC_DIR: allocDir,
    HOLDFAST_TASK_DIR: taskDir,
  }
}
