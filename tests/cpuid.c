/* Makes this CPU pretend: libraries that ask for its vendor, caches and cores get other answers.

   Preload it (LD_PRELOAD) with CPUID="VENDOR L1 L2 L3 CORES": the vendor's twelve letters, KiB of
   each data cache, and how many cores share the third. Linux lets a process catch its CPUID
   instructions where /proc/cpuinfo has cpuid_fault: man 2 arch_prctl, ARCH_SET_CPUID. */

#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static unsigned vendor[4], kib[4], cores; /* vendor: three and the string's end */

static void answer(int signal_number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (memcmp((void *)registers[REG_RIP], "\x0f\xa2", 2)) { /* a real fault */
        signal(signal_number, SIG_DFL);
        return;
    }
    unsigned leaf = registers[REG_RAX], sub = registers[REG_RCX], a, b, c, d;
    syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1);
    __cpuid_count(leaf, sub, a, b, c, d);
    syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0);
    if (leaf == 0)
        b = vendor[0], d = vendor[1], c = vendor[2];
    if (leaf == 0x80000000)
        a = 0x8000001e;
    if (leaf == 0x80000001)
        c |= 1 << 22; /* AMD's leaf for caches exists */
    if (leaf == 4 || leaf == 0x8000001d) { /* caches, as Intel has it and as AMD */
        unsigned level = sub + 1, ways = 8, line = 64;
        a = level > 3 ? 0 : level << 5 | (level == 1 ? 1 : 3); /* 1: data, 3: unified */
        b = (ways - 1) << 22 | (line - 1);
        c = level > 3 ? 0 : kib[level] * 1024 / line / ways - 1;
        if (level == 3)
            a |= (cores - 1) << 14;
    }
    if ((leaf == 0xb || leaf == 0x1f) && sub == 1)
        b = cores;
    registers[REG_RAX] = a, registers[REG_RBX] = b, registers[REG_RCX] = c, registers[REG_RDX] = d;
    registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void start(void)
{
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
    char *wanted = getenv("CPUID"), *name = (char *)vendor;
    if (!wanted || sscanf(wanted, "%12s %u %u %u %u", name, kib + 1, kib + 2, kib + 3, &cores) != 5)
        exit(2);
    sigaction(SIGSEGV, &action, NULL);
    syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0);
}
