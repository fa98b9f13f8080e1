#include "seccomp.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "io.h"

/* CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. NEWTIME lies in clone's signal byte and
 * only clone3 takes it. */
enum {
  CLONE_NEW_ANY = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
};
/* Both push input into a terminal as if it were typed there. */
enum { IOCTL_TIOCSTI = 0x5412, IOCTL_TIOCLINUX = 0x541c };
/*
 * Attributes of files, of which the owner of a file may set its project (FS_IOC_FSSETXATTR), and whether what
 * is made in a directory is of that one's (FS_IOC_SETFLAGS, for 64 and 32 bits: FS_PROJINHERIT_FL): a task
 * would take its files out of the account that bounds them. They are in memory, where a filter cannot look.
 */
enum { IOCTL_SET_ATTRIBUTES = 0x401c5820, IOCTL_SET_FLAGS = 0x40086602, IOCTL_SET_FLAGS_32 = 0x40046602 };
/* Families that a network namespace does not hold: to the hypervisor and its other guests, and to the
 * kernel's ciphers. */
enum { FAMILY_ALG = 38, FAMILY_VSOCK = 40 };
enum { FAMILY_UNIX = 1 };
/* Of netlink only what describes addresses and routes (getaddrinfo, getifaddrs), and the two in which nobody
 * can say a word without CAP_NET_ADMIN. */
enum { FAMILY_NETLINK = 16, NETLINK_OF_ROUTES = 0, NETLINK_OF_XFRM = 6, NETLINK_OF_NETFILTER = 12 };
enum { SOCKETCALL_SOCKET = 1, SOCKETCALL_SOCKETPAIR = 8 };
/*
 * What runs with its owner's rights: in a directory of the host's that the task may write, a set-user-ID
 * shell of its own would be for all users of the host. O_CREAT and __O_TMPFILE, by which a mode counts at
 * all, have these numbers on every supported architecture.
 */
enum { MODE_SET_ID = 06000, OPEN_MAKES = 0100 | 020000000 };
enum { MAX_CALLS = 128 };

#if defined(__x86_64__) || defined(__aarch64__)
static const struct call native_calls[] = {
#include "seccomp_calls.inc"
};
static const struct call offline_calls[] = {
    {__NR_socket, CALL_OFFLINE_SOCKET},
    {__NR_socketpair, CALL_OFFLINE_SOCKETPAIR},
};
/* Without a network namespace of its own: who makes no socket has no use for the network. Handed to it by
 * somebody else, one is there. */
static const struct call offline_calls_i386[] = {
    {359, CALL_OFFLINE_SOCKET},
    {360, CALL_OFFLINE_SOCKETPAIR},
    {102, CALL_OFFLINE_SOCKETCALL},
};

static void emit(struct seccomp_program *program, struct sock_filter instruction) {
  if (program->length < MAX_SECCOMP_PROGRAM) program->code[program->length] = instruction;
  program->length++;
}
static void emit_return(struct seccomp_program *program, uint32_t value) {
  emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}
static void emit_load(struct seccomp_program *program, size_t offset) {
  emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}
/* Skips `then` instructions if they are equal, else `otherwise`. */
static void emit_jump(struct seccomp_program *program, uint32_t value, uint8_t then, uint8_t otherwise) {
  emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise));
}
static void emit_if(struct seccomp_program *program, uint32_t value, uint8_t count) {
  emit_jump(program, value, count, 0);
}
/* Skips `count` instructions unless the test holds. */
static void emit_unless(struct seccomp_program *program, uint16_t test, uint32_t value, uint8_t count) {
  emit(program, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | test | BPF_K), value, 0, count));
}

enum {
  REFUSE = SECCOMP_RET_ERRNO | EPERM,
  MISSING = SECCOMP_RET_ERRNO | ENOSYS,
  NO_FAMILY = SECCOMP_RET_ERRNO | EAFNOSUPPORT
};
enum { NO_PROTOCOL = SECCOMP_RET_ERRNO | EPROTONOSUPPORT };
/* As of a file system that has none, which programs go on without. */
enum { NO_ATTRIBUTES = SECCOMP_RET_ERRNO | ENOTTY };

/* The low word of an argument: every supported architecture is little-endian, and the kernel looks at no more
 * of these two. */
static size_t argument(size_t index) {
  return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t);
}

static void emit_mode(struct seccomp_program *program, size_t index) {
  emit_load(program, argument(index));
  emit_unless(program, BPF_JSET, MODE_SET_ID, 1);
  emit_return(program, REFUSE);
  emit_return(program, SECCOMP_RET_ALLOW);
}

static void emit_open(struct seccomp_program *program, size_t index) {
  emit_load(program, argument(index));
  /* To the last instruction, which allows. */
  emit_unless(program, BPF_JSET, OPEN_MAKES, 3);
  emit_mode(program, index + 1);
}

static void emit_action(struct seccomp_program *program, enum call_action action) {
  switch (action) {
    case CALL_MODE_1: emit_mode(program, 1); break;
    case CALL_MODE_2: emit_mode(program, 2); break;
    case CALL_OPEN_1: emit_open(program, 1); break;
    case CALL_OPEN_2: emit_open(program, 2); break;
    case CALL_ACTIONS: break;
    case CALL_ALLOW: emit_return(program, SECCOMP_RET_ALLOW); break;
    /* Whoever traces is decided before a span is made. */
    case CALL_TRACE:
    case CALL_REFUSE: emit_return(program, REFUSE); break;
    /* ENOSYS makes the C library fall back to clone, whose flags are in a register where a filter can see
     * them. */
    case CALL_MISSING: emit_return(program, MISSING); break;
    case CALL_CLONE:
      emit_load(program, argument(0));
      emit_unless(program, BPF_JSET, CLONE_NEW_ANY, 1);
      emit_return(program, REFUSE);
      emit_return(program, SECCOMP_RET_ALLOW);
      break;
    case CALL_IOCTL:
      emit_load(program, argument(1));
      emit_if(program, IOCTL_SET_ATTRIBUTES, 4);
      emit_if(program, IOCTL_SET_FLAGS, 3);
      emit_if(program, IOCTL_SET_FLAGS_32, 2);
      emit_if(program, IOCTL_TIOCSTI, 2);
      emit_jump(program, IOCTL_TIOCLINUX, 1, 2);
      emit_return(program, NO_ATTRIBUTES);
      emit_return(program, REFUSE);
      emit_return(program, SECCOMP_RET_ALLOW);
      break;
    case CALL_SOCKET:
      emit_load(program, argument(0));
      emit_unless(program, BPF_JEQ, FAMILY_ALG, 1);
      emit_return(program, NO_FAMILY);
      emit_unless(program, BPF_JEQ, FAMILY_VSOCK, 1);
      emit_return(program, NO_FAMILY);
      emit_unless(program, BPF_JEQ, FAMILY_NETLINK, 8);
      emit_load(program, argument(2));
      emit_unless(program, BPF_JEQ, NETLINK_OF_ROUTES, 1);
      emit_return(program, SECCOMP_RET_ALLOW);
      emit_unless(program, BPF_JEQ, NETLINK_OF_XFRM, 1);
      emit_return(program, SECCOMP_RET_ALLOW);
      emit_unless(program, BPF_JEQ, NETLINK_OF_NETFILTER, 1);
      emit_return(program, SECCOMP_RET_ALLOW);
      emit_return(program, NO_PROTOCOL);
      emit_return(program, SECCOMP_RET_ALLOW);
      break;
    /* i386's older way has the family in memory, where a filter cannot look; any program may take it, by int
     * 0x80. */
    case CALL_SOCKETCALL:
      emit_load(program, argument(0));
      emit_unless(program, BPF_JEQ, SOCKETCALL_SOCKET, 1);
      emit_return(program, MISSING);
      emit_return(program, SECCOMP_RET_ALLOW);
      break;
    /* Netlink has a say of its own, above. */
    case CALL_OFFLINE_SOCKET:
      emit_load(program, argument(0));
      emit_unless(program, BPF_JEQ, FAMILY_NETLINK, 1);
      emit_return(program, SECCOMP_RET_ALLOW);
      emit_unless(program, BPF_JEQ, FAMILY_UNIX, 1);
      emit_return(program, SECCOMP_RET_ALLOW);
      emit_return(program, NO_FAMILY);
      break;
    case CALL_OFFLINE_SOCKETPAIR:
      emit_load(program, argument(0));
      emit_unless(program, BPF_JEQ, FAMILY_UNIX, 1);
      emit_return(program, SECCOMP_RET_ALLOW);
      emit_return(program, NO_FAMILY);
      break;
    case CALL_OFFLINE_SOCKETCALL:
      emit_load(program, argument(0));
      emit_unless(program, BPF_JEQ, SOCKETCALL_SOCKET, 1);
      emit_return(program, MISSING);
      emit_unless(program, BPF_JEQ, SOCKETCALL_SOCKETPAIR, 1);
      emit_return(program, MISSING);
      emit_return(program, SECCOMP_RET_ALLOW);
      break;
  }
}

/* From `start` up to the next span's start, all calls fare alike. */
struct span {
  uint32_t start;
  enum call_action action;
};

/*
 * A binary search. When a filter is installed the kernel walks it once for every call number, for its cache
 * of calls that are always allowed, and compiles it: depth and length are start-up time. So what becomes of a
 * call stands once, behind the search, and the last jumps lead there.
 */
struct leaf {
  size_t jump;
  bool holds;
  enum call_action action;
};
struct search {
  struct seccomp_program *program;
  size_t count;
  struct leaf leaves[2 * MAX_CALLS + 2];
};

static void emit_jump_to(struct search *search, size_t jump, bool holds, enum call_action action) {
  search->leaves[search->count++] = (struct leaf){jump, holds, action};
}

/* Conditional jumps reach 255 instructions; too far makes the program invalid on purpose, and seccomp_build
 * says so. */
static void lead(struct seccomp_program *program, size_t jump, bool holds, size_t to) {
  size_t distance = to - jump - 1;
  if (distance > 255) program->length = MAX_SECCOMP_PROGRAM + 1;
  else if (jump < MAX_SECCOMP_PROGRAM && holds) program->code[jump].jt = (uint8_t)distance;
  else if (jump < MAX_SECCOMP_PROGRAM) program->code[jump].jf = (uint8_t)distance;
}

static void emit_half(struct search *search, size_t jump, bool holds, const struct span *spans, size_t count);

/* Of two spans at least. */
static void emit_search(struct search *search, const struct span *spans, size_t count) {
  size_t half = count / 2, jump = search->program->length;
  emit(search->program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, spans[half].start, 0, 0));
  emit_half(search, jump, false, spans, half);
  emit_half(search, jump, true, spans + half, count - half);
}

static void emit_half(
    struct search *search, size_t jump, bool holds, const struct span *spans, size_t count) {
  if (count == 1) {
    emit_jump_to(search, jump, holds, spans[0].action);
    return;
  }
  lead(search->program, jump, holds, search->program->length);
  emit_search(search, spans, count);
}

static void emit_leaves(struct search *search) {
  for (enum call_action action = CALL_ALLOW; action < CALL_ACTIONS; action++) {
    size_t at = search->program->length;
    bool is_emitted = false;
    for (size_t i = 0; i < search->count; i++) {
      if (search->leaves[i].action != action) continue;
      if (!is_emitted) emit_action(search->program, action);
      is_emitted = true;
      if (search->program->length <= MAX_SECCOMP_PROGRAM)
        lead(search->program, search->leaves[i].jump, search->leaves[i].holds, at);
    }
  }
}

static void sort(struct call *calls, size_t count) {
  for (size_t i = 1; i < count; i++)
    for (size_t k = i; k > 0 && calls[k - 1].number > calls[k].number; k--) {
      struct call swap = calls[k];
      calls[k] = calls[k - 1];
      calls[k - 1] = swap;
    }
}

static void add_span(struct span *spans, size_t *count, uint32_t start, enum call_action action) {
  if (spans[*count - 1].action == action) return;
  /* A span of no calls gives way. */
  if (spans[*count - 1].start == start && *count > 1) --*count;
  if (spans[*count - 1].action == action) return;
  spans[(*count)++] = (struct span){start, action};
}

static void emit_table(struct seccomp_program *program, struct call *calls, size_t count, bool tracing) {
  struct span spans[2 * MAX_CALLS + 2] = {{0, CALL_ALLOW}};
  size_t used = 1;
  sort(calls, count);
  for (size_t i = 0; i < count; i++) {
    bool reaches = calls[i].action == CALL_TRACE;
    add_span(spans, &used, calls[i].number, reaches ? (tracing ? CALL_ALLOW : CALL_REFUSE) : calls[i].action);
    add_span(spans, &used, calls[i].number + 1, CALL_ALLOW);
  }
#if defined(__x86_64__)
  /* x32: the same calls again under other numbers. On i386 no such number exists. */
  add_span(spans, &used, 0x40000000, CALL_REFUSE);
#endif
  emit_load(program, offsetof(struct seccomp_data, nr));
  struct search search = {.program = program};
  emit_search(&search, spans, used);
  emit_leaves(&search);
}

struct table {
  struct call calls[MAX_CALLS];
  size_t count;
};

/* `other`: by the numbers of i386. */
static bool build(struct seccomp_program *program, struct table *table, struct table *other, bool tracing) {
  program->length = 0;
  emit_load(program, offsetof(struct seccomp_data, arch));
#if defined(__x86_64__)
  /* A table is further away than a conditional jump reaches: the other architecture goes by a long one. */
  emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
  size_t jump = program->length;
  emit(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
  emit_table(program, table->calls, table->count, tracing);
  program->code[jump].k = (uint32_t)(program->length - jump - 1);
  emit_unless(program, BPF_JEQ, AUDIT_ARCH_I386, 0);
  jump = program->length - 1;
  program->code[jump].jt = 1;
  emit_return(program, REFUSE);
  emit_table(program, other->calls, other->count, tracing);
#else
  (void)other;
  emit_unless(program, BPF_JEQ, AUDIT_ARCH_AARCH64, 0);
  program->code[program->length - 1].jt = 1;
  emit_return(program, REFUSE);
  emit_table(program, table->calls, table->count, tracing);
#endif
  return program->length <= MAX_SECCOMP_PROGRAM;
}

bool seccomp_build(struct seccomp_program *program, bool tracing) {
  struct table table = {.count = sizeof native_calls / sizeof native_calls[0]}, other = {0};
  _Static_assert(sizeof native_calls / sizeof native_calls[0] <= MAX_CALLS, "MAX_CALLS is too small");
  memcpy(table.calls, native_calls, sizeof native_calls);
#if defined(__x86_64__)
  other.count = seccomp_calls_i386(other.calls, MAX_CALLS);
#endif
  return build(program, &table, &other, tracing);
}

static bool build_offline(struct seccomp_program *program) {
  struct table table = {.count = sizeof offline_calls / sizeof offline_calls[0]},
               other = {.count = sizeof offline_calls_i386 / sizeof offline_calls_i386[0]};
  memcpy(table.calls, offline_calls, sizeof offline_calls);
  memcpy(other.calls, offline_calls_i386, sizeof offline_calls_i386);
  return build(program, &table, &other, false);
}
#else
static bool build_offline(struct seccomp_program *program) {
  program->length = 0;
  return false;
}

bool seccomp_build(struct seccomp_program *program, bool tracing) {
  (void)tracing;
  program->length = 0;
  return false;
}
#endif

int seccomp_install(const struct seccomp_program *program, struct failure *failure) {
  if (program->length == 0) return fail(failure, STAGE_SECCOMP, ENOSYS, "no filter for this architecture");
  struct sock_fprog filter = {
      .len = (unsigned short)program->length, .filter = (struct sock_filter *)(uintptr_t)program->code};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0)
    return fail(failure, STAGE_SECCOMP, errno, "filter");
  return 0;
}

OWN_FRAME int seccomp_install_offline(struct failure *failure) {
  struct seccomp_program program;
  if (!build_offline(&program)) return fail(failure, STAGE_SECCOMP, ENOSYS, "no filter of sockets");
  return seccomp_install(&program, failure);
}
