#include "hosts/linux/uevent.h"
#include "core/base/text.h"
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUP_KERNEL 1         /* the other group is udev's own, of what it has made of these */
#define ROOM_BYTES   (4 << 20) /* the boot's events all come at once */

int lb_uevent_open(void) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL};
    int error, room = ROOM_BYTES;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (fd < 0)
        return -1;
    /* Where this is refused the usual room must do. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static const char *value_of(const char *line, const char *key) {
    size_t len = strlen(key);
    return strncmp(line, key, len) == 0 && line[len] == '=' ? line + len + 1 : NULL;
}

static void take_line(struct lb_uevent *event, const char *line) {
    const struct {
        const char *key;
        const char **to;
    } known[] = {{"ACTION", &event->action},
                 {"DEVPATH", &event->path},
                 {"SUBSYSTEM", &event->subsystem},
                 {"DEVNAME", &event->name},
                 {"DEVTYPE", &event->type}};
    for (size_t i = 0; i < LB_COUNT(known); i++) {
        const char *value = value_of(line, known[i].key);
        if (value)
            *known[i].to = value;
    }
}

bool lb_uevent_decode(struct lb_bytes bytes, struct lb_uevent *event) {
    *event = (struct lb_uevent){"", "", "", "", ""};
    if (bytes.len == 0 || bytes.p[bytes.len - 1] != 0)
        return false;
    while (bytes.len > 0) {
        const char *line = (const char *)bytes.p;
        size_t len = strlen(line) + 1;
        take_line(event, line);
        bytes = lb_bytes(bytes.p + len, bytes.len - len);
    }
    return event->action[0] && event->path[0];
}

bool lb_uevent_next(int fd, struct lb_span room, struct lb_uevent *event, bool *lost) {
    for (;;) {
        struct sockaddr_nl from = {0};
        socklen_t len = sizeof(from);
        ssize_t got = recvfrom(fd, room.p, room.len, 0, (struct sockaddr *)&from, &len);
        if (got < 0 && errno == ENOBUFS) {
            *lost = true;
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (from.nl_pid == 0 && lb_uevent_decode(lb_bytes(room.p, (size_t)got), event))
            return true; /* of the kernel, and not of somebody who pretends to be it */
    }
}

bool lb_uevent_is_disk(const struct lb_uevent *event, uint32_t sid, uint32_t host, uint64_t lun) {
    char session[32], device[64];
    lb_format(session, sizeof(session), "/session%u/", sid);
    lb_format(device, sizeof(device), "/%u:0:0:%llu/block/", host, (unsigned long long)lun);
    return lb_streq(event->action, "add") && lb_streq(event->subsystem, "block") &&
           lb_streq(event->type, "disk") && strstr(event->path, session) &&
           strstr(event->path, device) && event->name[0];
}
