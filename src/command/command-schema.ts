import * as z from 'zod/mini'
import type { Command, Namespace } from '../api.ts'
import { largestId } from './accounts.ts'
import { lazily } from '../lazily.ts'
import { destinationRules, largestRules, rulesText, takesDestination } from './destinations.ts'
import { capabilityNumber, takesCapability } from './capabilities.ts'
import { isTaskName, takesTaskName } from './task-name.ts'
import { isFaithful } from './faithful.ts'
import {
  absolutePath,
  anyText,
  fields,
  flag,
  innerPath,
  integer,
  listOf,
  matching,
  oneOf,
  someText,
  targetPath,
} from './fields.ts'
import { isAbsoluteHere } from './paths.ts'

const namespaces = [
  'mount',
  'pid',
  'ipc',
  'uts',
  'cgroup',
  'network',
  'user',
] as const satisfies readonly Namespace[]

// No account's name has a colon (passwd(5)): "1000:1000" is a user and a group, which are two fields.
const takesAccount = `a name without ":", or an integer >= 0 and <= ${largestId}`
const account = () =>
  z.optional(
    z.custom<string | number>(
      value => (typeof value === 'string' ? /^[^:]+$/.test(value) && isFaithful(value) : isId(value)),
      { error: takesAccount },
    ),
  )

// A relative path would be relative to what? The task, the supervisor and the allocation all have a claim.
const file = () =>
  z.optional(
    matching(
      '"null", an absolute path without NUL and lone surrogates, or "fd:" and the number of an open descriptor',
      isFile,
    ),
  )

const input = () =>
  z.optional(
    matching(
      '"null", "attach", an absolute path without NUL and lone surrogates, or "fd:" and the number of an open descriptor',
      path => path === 'attach' || isFile(path),
    ),
  )

function isFile(path: string): boolean {
  return path === 'null' || (isAbsoluteHere(path) && isFaithful(path)) || isDescriptor(path)
}

function isDescriptor(text: string): boolean {
  const [, number] = /^fd:(0|[1-9]\d{0,6})$/.exec(text) ?? []
  return number !== undefined && Number(number) <= 0xfffff
}

const rotation = () =>
  fields({
    // A page: what is less would be more renames than writes.
    maxBytes: integer(4096, Number.MAX_SAFE_INTEGER, 'bytes'),
    maxFiles: integer(2, 100),
    numbering: z.optional(oneOf('shift', 'increment')),
  })
const takesLogs = '"plain", "collected" or { maxBytes, maxFiles, numbering }'
const logs = () => z.optional(textOr(oneOf('plain', 'collected'), rotation(), takesLogs))

const mount = () => fields({ source: absolutePath, target: targetPath, readOnly: z.optional(flag) })
const takesWorkspace = 'an absolute path other than "/", without "..", or { path, readOnly, overlay }'
const workspace = () =>
  z.optional(
    textOr(
      targetPath,
      fields({ path: targetPath, readOnly: z.optional(flag), overlay: z.optional(flag) }),
      takesWorkspace,
    ),
  )
const tmpfs = () =>
  fields({
    target: targetPath,
    sizeBytes: z.optional(integer(1, Number.MAX_SAFE_INTEGER, 'bytes')),
  })
const device = () =>
  matching(
    'a path in /dev, without "..", NUL and lone surrogates',
    path => /^\/dev\/.*[^/]$/s.test(path) && isFaithful(path) && !path.split('/').includes('..'),
  )

/** A plain object of strings whose names and values both have rules. z.record would lose a `__proto__`. */
function texts(
  takes: string,
  name: z.ZodMiniType,
  value: z.ZodMiniType,
): z.ZodMiniType<Record<string, string>> {
  return z.custom<Record<string, string>>(isPlainObject, { error: takes, abort: true }).check(
    z.superRefine((entries, context) => {
      for (const [key, text] of Object.entries(entries)) {
        const [issue] = [...issuesOf(name, key), ...issuesOf(value, text)]
        if (issue) context.addIssue({ code: 'custom', path: [key], message: issue })
      }
    }),
  )
}

const issuesOf = (schema: z.ZodMiniType, value: unknown): string[] =>
  schema.safeParse(value).error?.issues.map(issue => issue.message) ?? []

const environment = () =>
  texts(
    'an object of strings',
    matching(
      'a non-empty name without "=", NUL and lone surrogates',
      name => name !== '' && !name.includes('=') && isFaithful(name),
    ),
    anyText,
  )

const labels = () =>
  texts(
    'an object of strings',
    matching('a name of 1 to 128 letters, digits, ".", "_", "-" and "/"', name =>
      /^[A-Za-z0-9._/-]{1,128}$/.test(name),
    ),
    anyText,
  )

const takesNetwork = '"host", "none", { path: an absolute path } or { allow: an array of destinations }'
const maxDestinations = 500
const destinations = () =>
  listOf(
    matching(takesDestination, text => destinationRules(text) !== null),
    `an array of destinations, ${maxDestinations} at most`,
  ).check(
    z.maxLength(maxDestinations, `${maxDestinations} destinations at most`),
    z.refine(
      allow => Buffer.byteLength(rulesText(allow)) <= largestRules,
      `destinations whose rules, one for each port, have ${largestRules} bytes at most`,
    ),
  )
export const networkRules = lazily(() => fields({ allow: destinations() }))
/** Of the two objects the one that is meant is checked, so that the error names the destination. */
const network = () =>
  z.optional(
    z
      .custom(value => value === 'host' || value === 'none' || isPlainObject(value), {
        error: takesNetwork,
        abort: true,
      })
      .check(
        z.superRefine((value, context) => {
          if (typeof value !== 'object' || value === null) return
          addIssues(context, 'allow' in value ? networkRules() : fields({ path: absolutePath }), value)
        }),
      ),
  )

const embedded = () => texts('an object of paths, { hostPath: pathInRoot }', absolutePath, innerPath)
const root = () =>
  z.optional(wordOr('host', fields({ embed: embedded() }), '"host" or { embed: { hostPath: pathInRoot } }'))

const cells = () => integer(1, 65_535)
export const terminalSize = lazily(() => fields({ rows: cells(), columns: cells() }))

export const commandSchema = lazily(() =>
  fields({
    path: someText,
    args: listOf(anyText, 'an array of strings'),
    argv0: z.optional(anyText),
    interpolate: z.optional(flag),
    env: environment(),
    cwd: z.optional(absolutePath),
    user: account(),
    group: account(),
    umask: z.optional(integer(0, 0o777, '0o777 at most')),
    stdin: input(),
    stdout: file(),
    stderr: file(),
    terminal: z.optional(terminalSize()),
    logs: logs(),
    hostname: z.optional(
      matching('1 to 64 letters, digits, "-" and "."', name => /^[A-Za-z0-9.-]{1,64}$/.test(name)),
    ),
    network: network(),
    mounts: z.optional(listOf(mount(), 'an array of { source, target, readOnly }')),
    workspace: workspace(),
    tmpfs: z.optional(listOf(tmpfs(), 'an array of { target, sizeBytes }')),
    devices: z.optional(listOf(device(), 'an array of paths in /dev')),
    root: root(),
    capabilities: z.optional(
      listOf(
        matching(takesCapability, name => capabilityNumber(name) !== null),
        'an array of names',
      ),
    ),
    noNewPrivileges: z.optional(flag),
    seccomp: z.optional(oneOf('default', 'off')),
    namespaces: z.optional(fields(Object.fromEntries(namespaces.map(name => [name, z.optional(flag)])))),
    cgroups: z.optional(listOf(absolutePath, 'an array of absolute paths')),
    oomScoreAdj: z.optional(integer(-1000, 1000)),
    nice: z.optional(integer(-20, 19)),
    cpuPolicy: z.optional(oneOf('other', 'batch', 'idle')),
    // Known by name; what it holds is taken out before (secrets.ts).
    secrets: z.optional(z.never()),
    name: z.optional(matching(takesTaskName, isTaskName)),
    labels: z.optional(labels()),
  } satisfies Record<keyof Command, z.ZodMiniType>),
)

/** One word, or an object whose fields are named in errors: a union would name none. */
const wordOr = (word: string, object: z.ZodMiniType, takes: string) => textOr(oneOf(word), object, takes)

function textOr(text: z.ZodMiniType, object: z.ZodMiniType, takes: string) {
  const isText = (value: unknown): boolean => typeof value === 'string' && text.safeParse(value).success
  return z
    .custom(value => isText(value) || isPlainObject(value), { error: takes, abort: true })
    .check(
      z.superRefine((value, context) => {
        if (typeof value !== 'string') addIssues(context, object, value)
      }),
    )
}

/** What is wrong with an object, by its fields. */
function addIssues(context: z.core.$RefinementCtx, object: z.ZodMiniType, value: unknown): void {
  for (const issue of object.safeParse(value).error?.issues ?? []) {
    const path = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : issue.path
    context.addIssue({ code: 'custom', path, message: issue.message })
  }
}

function isId(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= largestId
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
