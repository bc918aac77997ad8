#include "hosts/linux/resolvconf.h"
#include "hosts/linux/syntax.h"
#include "os/linux/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME   "resolv.conf"
#define BEFORE "resolv.conf.before-lunboot"
#define HEAD   "# written by lunboot\n"

/* RFC 4007 11: a link-local address of IPv6 says nothing without its link. */
static bool is_scoped(struct lb_addr addr) {
    return addr.family == LB_V6 && lb_addr_is_link_local(addr);
}

void lb_resolvconf_format(struct lb_text *text, const char *interface,
                          const struct lb_boot_net *net) {
    const char *search = net->search[0] ? net->search : net->domain;

    lb_text_add(text, HEAD);
    (void)lb_syntax_search(text, search);
    for (size_t i = 0; i < net->dns_count; i++)
        lb_text_add(text, "nameserver %s%s%s\n", lb_addr_text(net->dns[i]).s,
                    is_scoped(net->dns[i]) ? "%" : "", is_scoped(net->dns[i]) ? interface : "");
}

static bool is_ours(const struct lb_resolvconf *resolvconf, int folder) {
    const struct stat *ours = &resolvconf->ours;
    struct stat now;
    if (fstatat(folder, NAME, &now, AT_SYMLINK_NOFOLLOW) < 0)
        return true; /* nobody's */
    return now.st_dev == ours->st_dev && now.st_ino == ours->st_ino &&
           now.st_size == ours->st_size && now.st_mtim.tv_sec == ours->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == ours->st_mtim.tv_nsec;
}

/* Of a boot that was killed. */
static bool was_a_boots(int folder) {
    char head[sizeof(HEAD)] = "";
    int fd = openat(folder, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    (void)!read(fd, head, sizeof(head) - 1);
    close(fd);
    return strcmp(head, HEAD) == 0;
}

/* Moves what is there out of the way, once; it may be a symbolic link. A copy that is there already
 * is what was there before a boot that was killed, if the file is still that boot's. */
static int put_aside(struct lb_resolvconf *resolvconf, int folder) {
    struct stat status;
    int refused = 0;
    if (fstatat(folder, NAME, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (syscall(SYS_renameat2, folder, NAME, folder, BEFORE, RENAME_NOREPLACE) < 0 &&
        !was_a_boots(folder) && renameat(folder, NAME, folder, BEFORE) < 0)
        refused = errno;
    resolvconf->has_before = refused == 0;
    return refused;
}

static int write_one(struct lb_resolvconf *resolvconf, int folder, struct lb_bytes bytes) {
    int refused = lb_file_write_at(folder, NAME, 0644, bytes);
    if (refused == 0 && fstatat(folder, NAME, &resolvconf->ours, AT_SYMLINK_NOFOLLOW) < 0)
        refused = errno;
    return refused;
}

static int write_first(struct lb_resolvconf *resolvconf, int folder, const char *root,
                       struct lb_bytes bytes) {
    int refused = put_aside(resolvconf, folder);
    if (refused == 0)
        refused = write_one(resolvconf, folder, bytes);
    if (refused && resolvconf->has_before)
        renameat(folder, BEFORE, folder, NAME);
    if (refused)
        *resolvconf = (struct lb_resolvconf){0};
    else
        lb_format(resolvconf->root, sizeof(resolvconf->root), "%s", root);
    resolvconf->is_written = refused == 0;
    return refused;
}

int lb_resolvconf_write(struct lb_resolvconf *resolvconf, const char *root, const char *interface,
                        const struct lb_boot_net *net) {
    char buffer[2048];
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    int folder, refused = 0;

    if (net->dns_count == 0 && !net->domain[0] && !net->search[0])
        return 0;
    lb_resolvconf_format(&text, interface, net);
    folder = lb_file_folder(root, "etc", true);
    if (folder < 0)
        return -folder;
    if (text.cut || strlen(root) >= sizeof(resolvconf->root))
        refused = ENAMETOOLONG;
    else if (!resolvconf->is_written)
        refused = write_first(resolvconf, folder, root, lb_bytes(buffer, text.len));
    else if (is_ours(resolvconf, folder)) /* else others know better by now */
        refused = write_one(resolvconf, folder, lb_bytes(buffer, text.len));
    close(folder);
    return refused;
}

static int open_again(const struct lb_resolvconf *resolvconf) {
    return resolvconf->is_written ? lb_file_folder(resolvconf->root, "etc", false) : -1;
}

void lb_resolvconf_keep(struct lb_resolvconf *resolvconf) {
    int folder = open_again(resolvconf);
    if (folder >= 0 && resolvconf->has_before)
        unlinkat(folder, BEFORE, 0);
    if (folder >= 0)
        close(folder);
    *resolvconf = (struct lb_resolvconf){0};
}

void lb_resolvconf_restore(struct lb_resolvconf *resolvconf) {
    int folder = open_again(resolvconf);
    bool is_ours_still = folder >= 0 && is_ours(resolvconf, folder);
    if (is_ours_still && resolvconf->has_before)
        renameat(folder, BEFORE, folder, NAME);
    else if (is_ours_still)
        unlinkat(folder, NAME, 0);
    if (folder >= 0)
        close(folder);
    if (folder >= 0 && !is_ours_still)
        lb_resolvconf_keep(resolvconf);
    *resolvconf = (struct lb_resolvconf){0};
}
