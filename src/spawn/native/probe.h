#pragma once
/*
 * Enters a user namespace and tries there, in children, each thing that isolating a task takes. Prints one
 * line of JSON: for each 0, or the errno with which it was refused, and which ids are mapped. The exit code.
 */
int probe_run(void);
