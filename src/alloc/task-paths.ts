/** Where the task's files lie on the host. All absolute. */
export type TaskPaths = {
  /** The allocation's own directory. */
  readonly root: string
  /** `alloc/`, shared between the allocation's tasks. */
  readonly shared: string
  /** `<task>/` */
  readonly task: string
  /** `<task>/local` */
  readonly local: string
}
