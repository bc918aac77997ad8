#include "server/notify.h"
#include "core/base/text.h"
#include "os/linux/clock.h"
#include "server/say.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A name that begins with @ is an abstract one: a NUL stands for the @. */
static void notify(const char *text) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path != NULL ? strlen(path) : 0;
    if (len == 0 || len >= sizeof at.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(at.sun_path, path, len);
    if (path[0] == '@')
        at.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&at,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    close(fd);
}

void lb_server_notify_ready(const char *status) {
    char text[400];
    lb_format(text, sizeof text, "READY=1\nSTATUS=%s", status);
    notify(text);
}

void lb_server_notify_status(const char *status) {
    char text[400];
    lb_format(text, sizeof text, "STATUS=%s", status);
    notify(text);
}

void lb_server_notify_reloading(void) {
    char text[80];
    lb_format(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu",
              (unsigned long long)lb_now_us());
    notify(text);
}

void lb_server_notify_stopping(void) {
    notify("STOPPING=1");
}
