/* A disk that is mapped into memory, so that what has been read before is answered without a copy:
 * the kernel sends straight out of its page cache.
 *
 * lunbootd itself never looks at these bytes. A page that cannot be read any more, because the disk
 * fails or was cut, ends the program that looks at it (SIGBUS), but only fails the system call that
 * sends it (EFAULT). What was not read before is read by a copy, which tells of errors as it
 * should; so is all of a disk that failed once.
 *
 * Any thread may use it; lb_window_close alone comes when none takes from it any more (lock.h). */
#ifndef LB_SERVER_WINDOW_H
#define LB_SERVER_WINDOW_H

#include "core/base/mem.h"

#define LB_WINDOW_PAGE 4096 /* bytes that are read at a time, as far as a window knows */

struct lb_window;

/* Maps the first `bytes` bytes of fd, which may be closed then. NULL: it cannot be mapped. */
struct lb_window *lb_window_open(int fd, uint64_t bytes);
/* These bytes (len not 0, within the disk), where each page of them was seen; else NULL. They are
 * there until lb_window_give_back, also after lb_window_close: one of these for each answer. */
const uint8_t *lb_window_take(struct lb_window *window, uint64_t offset, uint64_t len);
/* Ends one lb_window_take; the last one after a close frees it. */
void lb_window_give_back(struct lb_window *window);
/* These bytes were read just now, so the kernel has their pages. */
void lb_window_saw(struct lb_window *window, uint64_t offset, uint64_t len);
/* One of its pages could not be read: nothing is answered from it any more. */
void lb_window_distrust(struct lb_window *window);
/* The disk is closed: harmless with NULL. */
void lb_window_close(struct lb_window *window);

#endif
