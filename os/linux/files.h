/* Files: read only where they are files, written so that they appear whole or not at all. */
#ifndef LB_OS_FILES_H
#define LB_OS_FILES_H

#include "core/base/bytes.h"
#include <sys/stat.h>

/* Why a file is not read, beside the numbers of errno. */
enum {
    LB_FILE_ODD = 4096, /* a FIFO, a socket or a device: it might never end */
    LB_FILE_EMPTY,
    LB_FILE_LONG, /* longer than what it is read for */
    LB_FILE_LINK, /* a symbolic link, where none is followed */
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
/* Both: bytes read of a regular file that fits with a byte to spare, or why not as a negative
 * number. */
long lb_file_read(const char *path, struct lb_span room);

/* Opens a folder below a root that a person named: links within the root are followed as if it were
 * `/`, none leads out of it. makes: what is missing on the way is made, with mode 0755. Its
 * descriptor, or -errno. */
int lb_file_folder(const char *root, const char *path, bool makes);
/* Writes a file of a folder: under another name first, so that it appears whole or not at all, with
 * exactly this mode, and in the place of whatever had its name, a link too. 0, or an errno. */
int lb_file_write_at(int folder, const char *name, unsigned mode, struct lb_bytes bytes);
/* Both: ROOT/PATH; the root is made, too. */
int lb_file_write(const char *root, const char *path, unsigned mode, struct lb_bytes bytes);

/* A copy where a person wants it. A new file is readable by its owner alone, and it or an old one
 * appears when it is whole. A device or a pipe is written to as it is. */
struct lb_output {
    const char *path;
    char temporary[4096]; /* empty: written in place */
    int fd;
};
/* 0, or why not (lb_file_reason): a symbolic link is not followed, but for those of /dev and
 * /proc. */
int lb_output_open(struct lb_output *output, const char *path);
/* Not whole: a file is as it was before. 0, or an errno. Once, also after a failed open. */
int lb_output_close(struct lb_output *output, bool is_whole);

#endif
