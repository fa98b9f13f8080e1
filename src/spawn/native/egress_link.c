#include "egress_link.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "egress.h"
#include "egress_channel.h"
#include "system.h"
#include "text.h"

static const char log_name[] = "egress.ndjson", old_log_name[] = "egress.ndjson.1";
/* Of each of the two files. */
enum { LOG_MAX = 1 << 20, TURN_MAX = 64 };

static _Noreturn void run_forwarder(
    int channel, struct request *request, const struct platform_info *platform) {
  const int landlock = platform->landlock;
  /* The task's environment is in there. */
  request_release(request);
  int kept[] = {channel};
  close_others(kept, 1);
  char score[16];
  snprintf(score, sizeof score, "%d", platform->oom_score_adj);
  write_file("/proc/self/oom_score_adj", score);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signals_by_default();
  prctl(PR_SET_NAME, "holdfast-egress", 0, 0, 0);
  egress_run(channel, landlock);
}

static bool send_rules(int channel, const struct spec *spec) {
  _cleanup_text_ struct text text = {0};
  for (const struct egress_text *rule = spec->egress; rule != NULL; rule = rule->next)
    text_add(&text, "%s\n", rule->text);
  if (text.failed) return errno = ENOMEM, false;
  const char *rules = text.data == NULL ? "" : text.data;
  return send(channel, rules, text.length + 1, MSG_NOSIGNAL) >= 0;
}

int egress_link_open(struct egress_link *link, int dir, const struct spec *spec, struct request *request,
    const struct platform_info *platform, struct failure *failure) {
  if (spec->egress_port == 0) return 0;
  int ends[2];
  if ((link->log = openat(
           dir, log_name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)) < 0)
    return fail(failure, STAGE_RECORD, errno, "%s/%s", spec->dir, log_name);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(failure, STAGE_NETWORK, errno, "socket of the forwarder");
  link->channel = ends[0];
  _cleanup_fd_ int peer = ends[1];
  if (!send_rules(link->channel, spec)) return fail(failure, STAGE_NETWORK, errno, "rules of the forwarder");
  pid_t pid = sys_fork();
  if (pid == 0) run_forwarder(peer, request, platform);
  if (pid < 0) return fail(failure, STAGE_FORK, errno, "forwarder");
  link->pid = pid;
  return 0;
}

static bool pass_socket(int channel, int fd) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  char byte = 0;
  struct iovec bytes = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  control.header =
      (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  return sendmsg(channel, &message, MSG_NOSIGNAL) == 1;
}

int egress_listen(int channel, int port, struct failure *failure) {
  const struct sockaddr_in here = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  _cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (const struct sockaddr *)&here, sizeof here) != 0 ||
      listen(fd, EGRESS_CONNECTIONS_MAX) != 0)
    return fail(failure, STAGE_NETWORK, errno, "port %d of the task's loopback", port);
  return pass_socket(channel, fd) ? 0 : fail(failure, STAGE_NETWORK, errno, "socket for the forwarder");
}

/* Two files at most: what is older than both is gone. */
static void rotate(struct egress_link *link, int dir, size_t more) {
  if (link->logged + (int64_t)more <= LOG_MAX) return;
  if (renameat(dir, log_name, dir, old_log_name) != 0) return;
  close_fd(&link->log);
  link->log = openat(dir, log_name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  link->logged = 0;
}

/* From a process that has read what the task sent: nothing in it is trusted but its size. */
static void write_down(struct egress_link *link, int dir, struct egress_decision *decision) {
  _cleanup_text_ struct text text = {0};
  bool allowed = *(const unsigned char *)&decision->allowed == 1;
  decision->host[sizeof decision->host - 1] = '\0';
  if (!allowed) link->denied++;
  text_add(&text, "{\"at\":%lld,\"host\":", (long long)decision->at_ms);
  text_add_string(&text, decision->host);
  text_add(&text, ",\"port\":%u,\"allowed\":%s}\n", decision->port, allowed ? "true" : "false");
  if (text.failed) return;
  rotate(link, dir, text.length);
  if (link->log >= 0 && write_all(link->log, text.data, text.length)) link->logged += (int64_t)text.length;
}

void egress_link_read(struct egress_link *link, int dir) {
  for (int i = 0; i < TURN_MAX && link->channel >= 0; i++) {
    struct egress_decision decision;
    ssize_t count = recv(link->channel, &decision, sizeof decision, MSG_DONTWAIT);
    if (count == (ssize_t)sizeof decision) write_down(link, dir, &decision);
    else if (count >= 0) close_fd(&link->channel);
    else if (errno != EINTR) {
      if (errno != EAGAIN) close_fd(&link->channel);
      return;
    }
  }
}

bool egress_link_update(const struct egress_link *link, int dir) {
  char *rules = malloc(EGRESS_TEXT_MAX);
  ssize_t length = rules == NULL ? -1 : read_file_at(dir, "egress.rules", rules, EGRESS_TEXT_MAX);
  /* As many as do not fit are none of the supervisor's. */
  bool sent = length >= 0 && length < EGRESS_TEXT_MAX - 1 &&
              send(link->channel, rules, (size_t)length + 1, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
  int error = errno;
  free(rules);
  return errno = error, sent;
}

void egress_link_close(struct egress_link *link, int dir) {
  enum { WAIT_MAX_MS = 1000 };
  if (link->pid > 0) kill(link->pid, SIGKILL);
  for (int waited = 0; link->pid > 0 && waited < WAIT_MAX_MS; waited++) {
    if (waitpid(link->pid, NULL, WNOHANG) != 0) link->pid = 0;
    else sleep_ms(1);
  }
  for (int i = 0; i < TURN_MAX && link->channel >= 0; i++) egress_link_read(link, dir);
  close_fd(&link->channel);
}
