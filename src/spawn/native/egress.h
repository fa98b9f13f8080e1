/* The forwarder: what a task that has no network but its own loopback reaches the allowed destinations
 * through. */
#pragma once

/*
 * Runs in a process of its own, outside the task's namespaces, with the sockets that it needs and nothing
 * else. `channel` is its end of the shim's socket. Ends when the shim does.
 */
_Noreturn void egress_run(int channel, int landlock);
