#include "os/linux/sysctl.h"
#include "core/base/text.h"
#include "os/linux/files.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int write_value(const char *path, const char *value) {
    int fd = open(path, O_WRONLY | O_CLOEXEC), refused = 0;
    if (fd < 0)
        return errno;
    if (write(fd, value, strlen(value)) < 0)
        refused = errno;
    close(fd);
    return refused;
}

/* What stands there now, in `room`; negative: an errno. */
static int read_value(const char *path, struct lb_span room, struct lb_bytes *value) {
    long len = lb_file_read(path, room);
    if (len < 0)
        return (int)-len;
    *value = lb_bytes_trim(lb_bytes(room.p, (size_t)len));
    return 0;
}

static void name_path(struct lb_sysctl *sysctl, const char *table, const char *interface,
                      const char *name) {
    *sysctl = (struct lb_sysctl){0};
    lb_format(sysctl->path, sizeof(sysctl->path), "/proc/sys/net/%s/%s/%s", table, interface, name);
}

int lb_sysctl_set(struct lb_sysctl *sysctl, const char *table, const char *interface,
                  const char *name, const char *value) {
    char room[sizeof(sysctl->before)];
    struct lb_bytes now;
    int refused;

    name_path(sysctl, table, interface, name);
    refused = read_value(sysctl->path, lb_span(room, sizeof(room)), &now);
    if (refused || lb_text_is(now, value))
        return refused;
    refused = write_value(sysctl->path, value);
    if (refused)
        return refused;
    lb_text_copy(sysctl->before, sizeof(sysctl->before), now);
    if (read_value(sysctl->path, lb_span(room, sizeof(room)), &now) == 0)
        lb_text_copy(sysctl->after, sizeof(sysctl->after), now);
    return 0;
}

bool lb_sysctl_is(const char *table, const char *interface, const char *name, const char *value) {
    struct lb_sysctl sysctl;
    char room[sizeof(sysctl.before)];
    struct lb_bytes now;
    name_path(&sysctl, table, interface, name);
    return read_value(sysctl.path, lb_span(room, sizeof(room)), &now) == 0 &&
           lb_text_is(now, value);
}

void lb_sysctl_restore(struct lb_sysctl *sysctl) {
    char room[sizeof(sysctl->before)];
    struct lb_bytes now;
    if (sysctl->before[0] && read_value(sysctl->path, lb_span(room, sizeof(room)), &now) == 0 &&
        lb_text_is(now, sysctl->after))
        write_value(sysctl->path, sysctl->before);
    sysctl->before[0] = 0;
}
