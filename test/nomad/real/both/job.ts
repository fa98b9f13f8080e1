/** Of a job as Nomad's HTTP interface has it: what is looked at or changed here. */
export type ApiTask = {
  Name: string
  Driver: string
  Config: Record<string, unknown>
  Artifacts: { GetterSource: string; GetterOptions: object | null; RelativeDest?: string }[] | null
  Services: ApiService[] | null
  VolumeMounts: { Volume: string; PropagationMode: string }[] | null
  Vault: object | null
  Schedule?: object | null
  RestartPolicy?: object | null
  Lifecycle: { Hook: string; Sidecar: boolean } | null
  Resources: Record<string, unknown> | null
}
export type ApiService = { Provider: string; Checks: { Type: string }[] | null }
export type ApiGroup = {
  Name: string
  Count: number
  Tasks: ApiTask[]
  Networks: { Mode: string; DynamicPorts: { To: number }[] | null }[] | null
  Services: ApiService[] | null
  Volumes: Record<string, { Type: string; Source: string }> | null
  RestartPolicy: object
  ReschedulePolicy: object | null
  Update?: object | null
}
export type ApiJob = {
  ID: string
  Type: string
  Datacenters: string[] | null
  TaskGroups: ApiGroup[]
  Periodic: object | null
  ParameterizedJob: object | null
  Update?: object | null
}

export function tasksOf(job: ApiJob): ApiTask[] {
  return job.TaskGroups.flatMap(({ Tasks }) => Tasks)
}
