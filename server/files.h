/* The files that are served to boot from: those of a folder, and lunboot.conf. */
#ifndef LB_SERVER_FILES_H
#define LB_SERVER_FILES_H

#include "server/settings.h"

struct lb_server_files {
    int folder; /* -1: there is none */
    char path[LB_SERVER_PATH_MAX + 1];
    bool has_all;   /* a person named the folder: everything in it is served; else loaders alone */
    char conf[512]; /* lunboot.conf, where the folder has none */
};

/* A file that was found; lb_server_file_close. */
struct lb_server_file {
    int fd; /* -1: it is `text` */
    struct lb_bytes text;
    uint64_t bytes;
};

/* Opens the folder that a person named, or else where the loaders are: installed, or beside the
 * program. */
bool lb_server_files_open(struct lb_server_files *files, const char *folder,
                          struct lb_server_error *error);
/* A file by the name that a client gave, with / or \ between folders, within the folder. False:
 * there is none, or it is not served; *why is a phrase. */
bool lb_server_files_find(const struct lb_server_files *files, struct lb_bytes name,
                          struct lb_server_file *file, const char **why);
/* Whether there is a file of this name. */
bool lb_server_files_has(const struct lb_server_files *files, const char *name);
/* Reads len bytes at offset; false: they are not there any more. */
bool lb_server_file_read(const struct lb_server_file *file, uint64_t offset, void *to, size_t len);
void lb_server_file_close(struct lb_server_file *file); /* harmless where it is closed */

/* The path below the folder that a client's name means: no leading /, no part that begins with a
 * dot, but that a part "." means nothing. Empty: there is none. */
struct lb_bytes lb_server_files_path(struct lb_bytes name, struct lb_span room);

#endif
