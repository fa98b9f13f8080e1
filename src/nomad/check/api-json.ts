import type { Source } from '../hcl/source.ts'
import type { Attribute, Block, Body, Entry, Expression } from '../hcl/syntax.ts'

/** What HCL calls otherwise than by the same words with underscores. */
const names: Readonly<Record<string, string>> = {
  TaskGroups: 'group',
  Tasks: 'task',
  CPU: 'cpu',
  IOPS: 'iops',
  NUMA: 'numa',
  MemoryMB: 'memory',
  MemoryMaxMB: 'memory_max',
  MaxFileSizeMB: 'max_file_size',
  DiskMB: 'disk',
  SecretsMB: 'secrets',
  Networks: 'network',
  ReservedPorts: 'port',
  DynamicPorts: 'port',
  Value: 'static',
  Devices: 'device',
  Services: 'service',
  Checks: 'check',
  Artifacts: 'artifact',
  RelativeDest: 'destination',
  Templates: 'template',
  DestPath: 'destination',
  VolumeMounts: 'volume_mount',
  LogConfig: 'logs',
  RestartPolicy: 'restart',
  Constraints: 'constraint',
  Affinities: 'affinity',
  Identities: 'identity',
  Secrets: 'secret',
  Actions: 'action',
  ScalingPolicies: 'scaling',
  CSIPluginConfig: 'csi_plugin',
}
/** Their keys are the job's own. */
const free = new Set(['Config', 'Env', 'Meta'])
/** What says how a thing is called, as a block's label does. */
const label: Readonly<Record<string, string>> = {
  Job: 'ID',
  TaskGroups: 'Name',
  Tasks: 'Name',
  ReservedPorts: 'Label',
}

/**
 * A job in the JSON of Nomad's API (`nomad job inspect`, `nomad job run -json`) as the blocks of a job file.
 * What is null or empty there has been left out. Throws INVALID_ARGUMENT with the position.
 */
export function jobOfJson(source: Source, document: Expression): Body {
  try {
    JSON.parse(source.text)
  } catch (error) {
    throw source.error(0, `no JSON: ${(error as Error).message}`)
  }
  const job = fields(document).find(({ key }) => key === 'Job')?.value ?? document
  if (!fields(job).some(({ key }) => key === 'TaskGroups'))
    throw source.error(0, 'takes a job as Nomad\'s API has it, with "TaskGroups"')
  return { attributes: new Map(), blocks: [block('Job', job)] }
}

function block(key: string, value: Expression): Block {
  const name = fields(value).find(entry => entry.key === label[key])?.value
  return {
    type: nameOf(key),
    labels: name?.kind === 'template' ? name.parts.filter(part => typeof part === 'string') : [],
    at: value.at,
    body: free.has(key) ? { attributes: new Map(fields(value).map(attribute)), blocks: [] } : bodyOf(value),
  }
}

function bodyOf(value: Expression): Body {
  const entries = fields(value).filter(entry => !isEmpty(entry.value))
  const isBlock = (entry: Entry) => listed(entry.value).every(({ kind }) => kind === 'object')
  return {
    attributes: new Map(
      entries.filter(entry => !isBlock(entry)).map(entry => [nameOf(entry.key), attribute(entry)[1]]),
    ),
    blocks: entries.filter(isBlock).flatMap(({ key, value }) => listed(value).map(item => block(key, item))),
  }
}

function attribute({ key, at, value }: Entry): [string, Attribute] {
  return [key, { at, value }]
}

function fields(value: Expression): readonly Entry[] {
  return value.kind === 'object' ? value.entries : []
}

function listed(value: Expression): readonly Expression[] {
  return value.kind === 'list' ? value.items : [value]
}

function isEmpty(value: Expression): boolean {
  if (value.kind === 'literal') return value.value === null
  if (value.kind === 'template') return value.parts.length === 0
  if (value.kind === 'list') return value.items.length === 0
  return value.kind === 'object' && value.entries.length === 0
}

function nameOf(key: string): string {
  return names[key] ?? key.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase()
}
