#include "stub.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "empty_namespace.h"
#include "io.h"

/*
 * Waits for the end of the death pipe, and exits, with no memory but its instructions: what it is given goes
 * first. That is the stack, on which a call would leave its return address and so a page, and the page of
 * errno, by which the C library and what guards stacks know the thread: both are copies of the shim's. So it
 * calls nothing, and what it needs is in registers. No signal of ours has a handler, which would need a
 * stack.
 */
#if defined(__SANITIZE_ADDRESS__) || !(defined(__x86_64__) || defined(__aarch64__))
static _Noreturn void wait_for_end(int death_pipe) {
  char byte;
  while (read(death_pipe, &byte, 1) < 0 && errno == EINTR) {}
  _exit(0);
}
#else
static _Noreturn void wait_for_end(int death_pipe) {
  const struct page_range stack = stack_frames();
  const uintptr_t page = page_size(), thread = (uintptr_t)&errno & ~(page - 1);
  /* madvise(stack), madvise(thread), read until it is not interrupted, exit_group(0). Nobody sends a byte;
   * there would be room for it where the stack was. */
#ifdef __x86_64__
  __asm__ volatile(
      "mov %[madvise], %%eax\n mov %[stack], %%rdi\n mov %[size], %%rsi\n mov %[unused], %%edx\n syscall\n"
      "mov %[madvise], %%eax\n mov %[thread], %%rdi\n mov %[page], %%rsi\n syscall\n"
      "1: mov %[read], %%eax\n mov %[pipe], %%rdi\n mov %[stack], %%rsi\n mov $1, %%edx\n syscall\n"
      "cmp %[interrupted], %%rax\n je 1b\n"
      "mov %[exit], %%eax\n xor %%edi, %%edi\n syscall\n hlt\n"
      :
      : [stack] "r"(stack.start), [size] "r"(stack.size), [thread] "r"(thread), [page] "r"(page),
      [pipe] "r"((long)death_pipe), [madvise] "i"(SYS_madvise), [unused] "i"(MADV_DONTNEED),
      [read] "i"(SYS_read), [interrupted] "i"(-EINTR), [exit] "i"(SYS_exit_group)
      : "rax", "rdi", "rsi", "rdx", "rcx", "r11", "cc", "memory");
#else
  __asm__ volatile("mov x8, %[madvise]\n mov x0, %[stack]\n mov x1, %[size]\n mov x2, %[unused]\n svc #0\n"
                   "mov x0, %[thread]\n mov x1, %[page]\n mov x2, %[unused]\n svc #0\n"
                   "1: mov x8, %[read]\n mov x0, %[pipe]\n mov x1, %[stack]\n mov x2, #1\n svc #0\n"
                   "cmn x0, %[interrupted]\n b.eq 1b\n"
                   "mov x8, %[exit]\n mov x0, #0\n svc #0\n brk #0\n"
      :
      : [stack] "r"(stack.start), [size] "r"(stack.size), [thread] "r"(thread), [page] "r"(page),
      [pipe] "r"((long)death_pipe), [madvise] "i"(SYS_madvise), [unused] "i"(MADV_DONTNEED),
      [read] "i"(SYS_read), [interrupted] "i"(EINTR), [exit] "i"(SYS_exit_group)
      : "x0", "x1", "x2", "x8", "cc", "memory");
#endif
  __builtin_unreachable();
}
#endif

_Noreturn void stub_run(int death_pipe, int empty_namespace) {
  int kept[] = {death_pipe, empty_namespace};
  close_others(kept, 2);
  prctl(PR_SET_NAME, "holdfast-init", 0, 0, 0);
  /* Ignored, not handled: the kernel then reaps orphans without waking us, and no page of ours is touched
   * again. */
  signal(SIGCHLD, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (!empty_namespace_enter(empty_namespace)) _exit(1);
  if (empty_namespace >= 0) close(empty_namespace);
  char byte = 0;
  if (!write_all(death_pipe, &byte, 1)) _exit(1);
  wait_for_end(death_pipe);
}
