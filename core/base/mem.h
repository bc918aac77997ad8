/* The four functions every C compiler may call on its own, even freestanding; the host's C library
 * or runtime provides them. Nothing else of a C library is used in core/. */
#ifndef LB_BASE_MEM_H
#define LB_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies len bytes; the two must not overlap. */
void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len); /* copies len bytes; the two may overlap */
void *memset(void *to, int byte, size_t len);          /* sets len bytes */
/* 0 where they are the same, else less or more than 0, as the first byte that differs. */
int memcmp(const void *a, const void *b, size_t len);

#define LB_COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Each evaluates one of its arguments twice: they get no call that does something. */
#define LB_MIN(a, b) ((a) < (b) ? (a) : (b))
#define LB_MAX(a, b) ((a) > (b) ? (a) : (b))

/* "Never": a deadline that does not come. All times are microseconds of the host's monotonic
 * clock. */
#define LB_NEVER  UINT64_MAX
#define LB_US_MS  UINT64_C(1000)
#define LB_US_SEC UINT64_C(1000000)

/* A caller's mistake (never the peer's: bytes from the wire must not reach an assert). The host
 * provides lb_assert_failed: it reports and does not return. */
_Noreturn void lb_assert_failed(const char *file, int line, const char *what);
#ifdef LB_SMALL /* firmware: the file and the line are enough to find it by */
/* As lb_assert_failed, without the condition's text. */
_Noreturn void lb_assert_failed_at(const char *file, int line);
#define lb_assert(condition) ((condition) ? (void)0 : lb_assert_failed_at(__FILE_NAME__, __LINE__))
#else
#define lb_assert(condition)                                                                       \
    ((condition) ? (void)0 : lb_assert_failed(__FILE__, __LINE__, #condition))
#endif

#endif
