/**
 * The search path of a task whose environment names none: that of a login as root, whoever the task runs as.
 */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
