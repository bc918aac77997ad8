#include "hosts/linux/resolvconf.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* RFC 4007 11: a link-local address of IPv6 says nothing without its link. */
static bool is_scoped(struct lb_addr addr) {
    return addr.family == LB_V6 && lb_addr_is_link_local(addr);
}

void lb_resolvconf_format(struct lb_text *text, const char *interface,
                          const struct lb_boot_net *net) {
    const char *search = net->search[0] ? net->search : net->domain;

    lb_text_add(text, "# written by lunboot\n");
    if (search[0]) {
        lb_text_add(text, "search ");
        lb_text_untrusted(text, lb_bytes_of_text(search));
        lb_text_add(text, "\n");
    }
    for (size_t i = 0; i < net->dns_count; i++)
        lb_text_add(text, "nameserver %s%s%s\n", lb_addr_text(net->dns[i]).s,
                    is_scoped(net->dns[i]) ? "%" : "", is_scoped(net->dns[i]) ? interface : "");
}

static int write_file(const char *path, struct lb_bytes bytes) {
    int error = 0, fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno;
    ssize_t written = write(fd, bytes.p, bytes.len);
    if (written != (ssize_t)bytes.len)
        error = written < 0 ? errno : ENOSPC;
    if (close(fd) < 0 && error == 0)
        error = errno;
    if (error)
        unlink(path);
    return error;
}

static bool is_ours(const struct lb_resolvconf *resolvconf) {
    const struct stat *ours = &resolvconf->ours;
    struct stat now;
    if (lstat(resolvconf->path, &now) < 0)
        return true; /* nobody's */
    return now.st_dev == ours->st_dev && now.st_ino == ours->st_ino &&
           now.st_size == ours->st_size && now.st_mtim.tv_sec == ours->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == ours->st_mtim.tv_nsec;
}

/* Moves what is there out of the way, once; it may be a symbolic link. */
static int put_aside(struct lb_resolvconf *resolvconf) {
    struct stat status;
    if (resolvconf->before[0] || lstat(resolvconf->path, &status) < 0)
        return 0;
    lb_format(resolvconf->before, sizeof(resolvconf->before), "%s.before-lunboot",
              resolvconf->path);
    if (rename(resolvconf->path, resolvconf->before) == 0)
        return 0;
    resolvconf->before[0] = 0;
    return errno;
}

int lb_resolvconf_write(struct lb_resolvconf *resolvconf, const char *root, const char *interface,
                        const struct lb_boot_net *net) {
    char buffer[2048], temporary[4096];
    struct lb_text text = lb_text(buffer, sizeof(buffer)), path;
    bool is_first = resolvconf->path[0] == 0;
    int error;

    if (net->dns_count == 0 && !net->domain[0] && !net->search[0])
        return 0;
    if (!is_first && !is_ours(resolvconf))
        return 0; /* others know better by now */
    lb_resolvconf_format(&text, interface, net);
    path = lb_text(temporary, sizeof(temporary));
    lb_text_add(&path, "%s/etc", root);
    if (path.cut || path.len > sizeof(temporary) - 64)
        return ENAMETOOLONG;
    mkdir(temporary, 0755); /* where this fails, the next step says why */
    lb_text_add(&path, "/.resolv.conf.lunboot");
    error = write_file(temporary, lb_bytes(buffer, text.len));
    if (error)
        return error;
    lb_format(resolvconf->path, sizeof(resolvconf->path), "%s/etc/resolv.conf", root);
    error = is_first ? put_aside(resolvconf) : 0;
    if (error == 0 && rename(temporary, resolvconf->path) < 0)
        error = errno;
    if (error == 0) {
        (void)lstat(resolvconf->path, &resolvconf->ours);
        return 0;
    }
    unlink(temporary);
    if (is_first && resolvconf->before[0])
        rename(resolvconf->before, resolvconf->path);
    if (is_first)
        *resolvconf = (struct lb_resolvconf){0};
    return error;
}

void lb_resolvconf_keep(struct lb_resolvconf *resolvconf) {
    if (resolvconf->before[0])
        unlink(resolvconf->before);
    *resolvconf = (struct lb_resolvconf){0};
}

void lb_resolvconf_restore(struct lb_resolvconf *resolvconf) {
    if (resolvconf->path[0] == 0)
        return;
    if (!is_ours(resolvconf)) {
        lb_resolvconf_keep(resolvconf);
        return;
    }
    if (resolvconf->before[0])
        rename(resolvconf->before, resolvconf->path);
    else
        unlink(resolvconf->path);
    *resolvconf = (struct lb_resolvconf){0};
}
