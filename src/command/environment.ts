import { defaultPath } from '../default-path.ts'
import { mergedWindows, windowsDefaults } from './windows-environment.ts'

/** What a task is told of itself. */
export type TaskPlace = {
  /** Its two directories, as it sees them. */
  readonly allocDir: string
  readonly taskDir: string
  /** Of its secrets; absent: it has none. */
  readonly secretsDir?: string | null
  /** Its user's name, or number. */
  readonly userName: string
}

/**
 * A task's whole environment: the command's own, where its two directories are, and where the command has
 * none a PATH, HOME (the task's own directory, which alone of the two is nobody else's) and USER and LOGNAME,
 * those of the user it runs as. Nothing of the supervisor's. The directories are facts, so they win over
 * variables of the same name.
 */
export function taskEnvironment(
  env: Readonly<Record<string, string>>,
  { allocDir, taskDir, secretsDir = null, userName }: TaskPlace,
): Record<string, string> {
  const facts = {
    NOMAD_ALLOC_DIR: allocDir,
    NOMAD_TASK_DIR: taskDir,
    HOLDFAST_ALLOC_DIR: allocDir,
    HOLDFAST_TASK_DIR: taskDir,
    ...(secretsDir !== null && { NOMAD_SECRETS_DIR: secretsDir, HOLDFAST_SECRETS_DIR: secretsDir }),
  }
  if (process.platform === 'win32')
    return mergedWindows(windowsDefaults(process.env, { taskDir, userName }), env, facts)
  return { PATH: defaultPath, HOME: taskDir, USER: userName, LOGNAME: userName, ...env, ...facts }
}
