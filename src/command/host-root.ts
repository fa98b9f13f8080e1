import type { Command } from '../api.ts'

/** Whether the command asks for the host's own root: by name, or by having no mount namespace. */
export function wantsHostRoot({ root, namespaces }: Readonly<Pick<Command, 'root' | 'namespaces'>>): boolean {
  return root === 'host' || namespaces?.mount === false
}
