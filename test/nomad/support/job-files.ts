import { readFileSync } from 'node:fs'

/** Job files of the kinds that are found in the world. */
export const jobsDirectory = new URL('../jobs/', import.meta.url)

export function jobFile(name: string): { readonly name: string; readonly text: string } {
  return { name, text: readFileSync(new URL(name, jobsDirectory), 'utf8') }
}
