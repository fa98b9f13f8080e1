/* Runs in the shim: the forwarder of its task, and what that has decided. */
#pragma once
#include "features.h"
#include "spec.h"

struct egress_link {
  /* 0: there is none. */
  pid_t pid;
  /* Our end; `peer` is the forwarder's until it is forked. */
  int channel, log;
  int64_t denied, logged;
};

#define NO_EGRESS {.channel = -1, .log = -1}

/* Forks the forwarder; `request` is given back in it. Does nothing where the task asks for none. */
int egress_link_open(struct egress_link *link, int dir, const struct spec *spec, struct request *request,
    const struct platform_info *platform, struct failure *failure);
/* Runs in the task's process, in its network namespace: a socket that listens there goes to the forwarder. */
int egress_listen(int channel, int port, struct failure *failure);
/* Writes down what was decided: to `egress.ndjson` in the task's directory, at most so much at a time. */
void egress_link_read(struct egress_link *link, int dir);
/* The rules that the supervisor has left in `egress.rules`. False: errno. */
bool egress_link_update(const struct egress_link *link, int dir);
/* Its last decisions, and its end. */
void egress_link_close(struct egress_link *link, int dir);
