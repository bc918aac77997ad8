/* Files: read only where they are files, written so that they appear whole or not at all. */
#ifndef LB_LINUX_FILES_H
#define LB_LINUX_FILES_H

#include "core/base/bytes.h"
#include <sys/stat.h>

/* Why a file is not read, beside the numbers of errno. */
enum {
    LB_FILE_ODD = 4096, /* a FIFO, a socket or a device: it might never end */
    LB_FILE_EMPTY,
    LB_FILE_LONG, /* longer than what it is read for */
};
/* In words: "it is not a regular file", or errno's. */
const char *lb_file_reason(int number);

/* Whether what is open is a regular file of 1 to max_bytes bytes: 0, or why not. Files of /proc and
 * /sys have no length: do not ask this of them. */
int lb_file_check(int fd, uint64_t max_bytes);
/* Opens a regular file for reading, and never waits for anybody. Gives its descriptor, or why not
 * as a negative number. *status (may be NULL) is that of the open file. */
int lb_file_open(const char *path, struct stat *status);
/* Reads an open file to its end, and closes it. Bytes read, or why not as a negative number:
 * LB_FILE_LONG where it does not fit with a byte to spare. */
long lb_file_read_all(int fd, struct lb_span room);

/* Writes it under another name first. Folders on the way are made. 0, or an errno. */
int lb_file_write(const char *path, unsigned mode, struct lb_bytes bytes);

#endif
