import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import type { Artifacts } from './artifacts.ts'
import { type ApiGroup, type ApiJob, type ApiService, type ApiTask, tasksOf } from './job.ts'

/** A job, how it is run, and what of it cannot be had on one machine without a network. */
export type Fixture = {
  readonly file: string
  /** Where the same file is run in more than one way. */
  readonly way?: string
  readonly variables?: string
  /** Its services run until they are stopped; they say `up` first, or this. */
  readonly untilStopped?: RegExp
  readonly started?: 'dispatched' | 'forced'
  readonly adapt?: (job: ApiJob) => void
  readonly text?: (hcl: string) => string
}

export const nameOf = ({ file, way }: Fixture): string => (way === undefined ? file : `${file}, ${way}`)

const shell = (task: ApiTask | undefined, script: string) => {
  if (task !== undefined) Object.assign(task.Config, { command: '/bin/sh', args: ['-c', script] })
}

/** A server of HTTP that each Debian has. */
export const httpServer = `
  $SIG{TERM} = sub { exit 0 };
  my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ENV{NOMAD_PORT_http}, Listen => 9, ReuseAddr => 1) or die $!;
  $| = 1; print "up\\n";
  while (1) { my $c = $s->accept or next; while (<$c>) { last if /^\\r?$/ } print $c "HTTP/1.0 200 OK\\r\\n\\r\\nwell\\n"; close $c }`

export const fixtures: readonly Fixture[] = [
  { file: 'actions-schedule.nomad.hcl', untilStopped: /up/ },
  { file: 'batch-artifact.nomad.hcl' },
  { file: 'bridge.nomad.hcl', untilStopped: /up/ },
  { file: 'cores-numa.nomad.hcl' },
  { file: 'docs-exec-artifact.nomad.hcl' },
  { file: 'docs-exec-command.nomad.hcl' },
  { file: 'docs-java-class.nomad.hcl' },
  { file: 'docs-java-jar.nomad.hcl' },
  {
    file: 'inspected.json',
    adapt: job => {
      for (const task of tasksOf(job)) {
        // An option of this driver, not of exec, and a volume that the job does not have.
        delete task.Config.limits
        task.VolumeMounts = null
      }
    },
  },
  { file: 'java-jar.nomad.hcl' },
  // The sidecar ends with the leader.
  { file: 'lifecycle.nomad.hcl' },
  { file: 'logs.nomad.hcl' },
  { file: 'memory-max.nomad.hcl' },
  { file: 'parameterized.nomad.hcl', started: 'dispatched' },
  { file: 'periodic.nomad.hcl', started: 'forced' },
  { file: 'placement.nomad.hcl' },
  { file: 'privileged-port.nomad.hcl', untilStopped: /up/ },
  { file: 'raw-exec.nomad.hcl', adapt: job => shell(tasksOf(job)[0], 'id -un; pwd; echo $0') },
  {
    file: 'read-only-root.nomad.hcl',
    adapt: ({ TaskGroups: [group] }) => {
      if (group) group.Tasks = group.Tasks.filter(({ Driver }) => Driver !== 'docker')
    },
  },
  { file: 'root-caps.nomad.hcl' },
  {
    file: 'root-caps.nomad.hcl',
    way: 'private',
    adapt: job => {
      for (const { Config } of tasksOf(job))
        Object.assign(Config, { pid_mode: 'private', ipc_mode: 'private' })
    },
  },
  {
    file: 'secrets.nomad.hcl',
    adapt: job =>
      shell(tasksOf(job)[0], 'echo $DB_USER; ls -ln /secrets | wc -l; wc -c < /secrets/nomad_billing.jwt'),
  },
  {
    file: 'service-checks.nomad.hcl',
    untilStopped: /up/,
    adapt: job => {
      for (const { Config } of tasksOf(job))
        Object.assign(Config, { command: 'perl', args: ['-MIO::Socket::INET', '-e', httpServer] })
    },
  },
  { file: 'sysbatch.nomad.hcl' },
  { file: 'system-files.nomad.hcl' },
  // Its database is another job's; Consul is not here.
  { file: 'template.nomad.hcl', text: hcl => hcl.replace('range service', 'range nomadService') },
  { file: 'user-env.nomad.hcl' },
  { file: 'variables.nomad.hcl', variables: 'command = "local/app"' },
  { file: 'volumes.nomad.hcl', untilStopped: /up/, adapt: withHostVolumes },
  {
    file: 'volumes.nomad.hcl',
    way: 'private',
    untilStopped: /up/,
    adapt: job => {
      withHostVolumes(job)
      for (const { VolumeMounts } of tasksOf(job))
        for (const mount of VolumeMounts ?? []) mount.PropagationMode = 'private'
    },
  },
]

/** CSI needs a plugin for a storage provider; the way in which it is mounted is kept. */
function withHostVolumes(job: ApiJob): void {
  for (const { Volumes } of job.TaskGroups)
    for (const volume of Object.values(Volumes ?? {})) Object.assign(volume, hostVolume)
}

const hostVolume = { Type: 'host', Source: 'store-data', AccessMode: '', AttachmentMode: '' }
const never = { Attempts: 0, Interval: 6e11, Delay: 1e9, Mode: 'fail' }

/** The job as one machine on loopback can run it, with the driver that it names. */
export function adapted(job: ApiJob, { adapt }: Fixture, artifacts: Artifacts): ApiJob {
  job.Datacenters = ['dc1']
  job.Update = null
  adapt?.(job)
  for (const group of job.TaskGroups) {
    group.RestartPolicy = never
    group.Update = null
    group.ReschedulePolicy =
      job.Type === 'batch' || job.Type === 'service' ? { Attempts: 0, Unlimited: false } : null
    localNetwork(group)
    localServices(group.Services)
    for (const task of group.Tasks) localTask(task, artifacts)
  }
  return job
}

/** Bridges are the subject of nomad-networks.ts. */
function localNetwork({ Networks }: ApiGroup): void {
  for (const network of Networks ?? []) {
    if (network.Mode === 'bridge') network.Mode = 'host'
    // There several tasks of one job would be at the same port.
    for (const port of network.DynamicPorts ?? []) port.To = 0
  }
}

/** Services of Nomad's own, without Consul: it has no checks by script. */
function localServices(services: ApiService[] | null): void {
  for (const service of services ?? []) {
    service.Provider = 'nomad'
    service.Checks = (service.Checks ?? []).filter(({ Type }) => Type !== 'script')
  }
}

function localTask(task: ApiTask, artifacts: Artifacts): void {
  task.Vault = null
  task.RestartPolicy = null
  // Of Nomad Enterprise, as are schedules.
  if (task.Resources) task.Resources.NUMA = null
  if ('Schedule' in task) task.Schedule = null
  localServices(task.Services)
  for (const artifact of task.Artifacts ?? []) {
    artifact.GetterSource = artifacts.url(basename(artifact.GetterSource).replace(/\.git$/, '.tar.gz'))
    artifact.GetterOptions = null
  }
  const command = String(task.Config.command ?? '')
  // A program that this machine does not have comes as an artifact.
  const isElsewhere =
    (command.startsWith('/usr/') && !existsSync(command)) || /sbin|redis|local\/app$/.test(command)
  if (!isElsewhere) return
  const name = basename(command)
  task.Config.command = `local/${name}`
  task.Artifacts = [
    ...(task.Artifacts ?? []),
    { GetterSource: artifacts.url(name), GetterOptions: null, RelativeDest: 'local/' },
  ]
}
